"""What a client sends, given to aiohttp's parser one request at a time and within bounds. It writes no answer.

Where this reaches into aiohttp (names that begin with `_` and are not set here) there is no public way to know how much
of a request has come; tests/http holds each use to what it is for.
"""

import asyncio
import logging
from typing import Any

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.http import RawRequestMessage

from gateway.http.client_address import peer_of
from gateway.http.head import MAX_HEAD, declared_length
from gateway.http.limits import CHUNK_OVERHEAD, MAX_SLICE, Budget
from gateway.malloc_trim import IdleTrimmer

log = logging.getLogger(__name__)


class PacedProtocol(web.RequestHandler):
    """aiohttp's protocol, which reads no request before the one ahead of it is answered.

    - The parser alone would take in 32 requests with their bodies, and forget every request of a read that ends in an
      error. Here what a client sends ahead waits unread, and no more of it than one read.
    - A head that has not ended after MAX_HEAD bytes is refused. So is a chunked body that takes more than MAX_HEAD and
      CHUNK_OVERHEAD times its content, or more than MAX_HEAD without any content: extensions and trailers, which the
      parser would keep.
    - All that waits counts in the budget. A connection that would exceed it is closed.
    - A client that closes its sending side gets every answer that is due.
    - A connection that is lost refers to nothing: in a reference cycle, what the client has sent would stay for long.
    """

    __slots__ = (
        "_body_left",
        "_budget",
        "_client_done",
        "_head_end",
        "_held",
        "_is_broken",
        "_payload",
        "_pending",
        "_trimmer",
        "_unfinished",
        "_without_content",
        "answered",
        "is_flood",
        "kept_transport",
        "peer",
    )

    def __init__(
        self,
        server: web.Server,
        trimmer: IdleTrimmer,
        budget: Budget,
        *,
        loop: asyncio.AbstractEventLoop,
        **options: Any,
    ) -> None:
        super().__init__(server, loop=loop, **options)
        self.peer: str | None = None
        self.kept_transport: asyncio.Transport | None = None
        self.answered = 0
        self.is_flood = False  # the body was refused for its size on the wire; what still comes is not worth reading
        self._trimmer = trimmer
        self._budget = budget
        self._held = 0  # bytes that are counted in the budget
        self._pending = b""  # what has come and the parser has not got
        self._payload: StreamReader = EMPTY_PAYLOAD
        self._unfinished = 0  # bytes of a head or body that has not ended
        self._without_content = 0  # bytes of a chunked body since the last one of its content
        self._head_end = b""  # the last bytes of a head that has not ended; none before it begins
        self._body_left = 0  # of a body whose length is known
        self._is_broken = False  # what came last is refused: nothing behind it is read
        self._client_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        assert self._task_handler is not None, "made just now"
        self._task_handler.add_done_callback(self._forget)
        self.kept_transport = self.transport
        self.peer = peer_of(transport.get_extra_info("peername"), transport.get_extra_info("socket").family)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol. What is being committed for the client goes on."""
        super().connection_lost(exc)
        self.kept_transport = None
        self.drop_pending()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._trimmer.bytes_received += len(data)
        if self._is_broken or self._close or self._force_close:
            self._pause_transport_reading()  # uvloop reads a flood 32 times before it gives anybody else a turn
            if not self.is_flood:
                self._loop.call_soon(self._resume_transport_reading)
            return
        if data:
            self._pending += data
        elif not self._payload.is_eof():  # its reader has room again: aiohttp goes on with what it has put aside
            self._feed(data)
        self._parse()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio keeps the transport open for a True
        """Keep the connection for the answers that are due: a client may close its sending side behind its requests."""
        self._client_done = True
        if self._pending:
            return self._can_half_close()
        self._end_input()
        return self.is_busy and self._can_half_close()

    def _can_half_close(self) -> bool:
        """Return whether answers can follow the client's end. With TLS that end is the connection's."""
        return self.transport is not None and self.transport.can_write_eof()

    def go_on(self) -> None:
        """Read the next request: the one before is answered."""
        if self._pending:
            self._loop.call_soon(self._parse)  # others get their turn between two requests of one client

    def drop_pending(self) -> None:
        """Forget what has come and is not read."""
        self._pending = b""
        self._hold(0)

    def dismiss(self) -> None:
        """Close, once what is written is sent."""
        self.close()
        if self.kept_transport is not None:
            self.kept_transport.close()

    def abort(self) -> None:
        """Close at once, whatever is still to be written."""
        if self.kept_transport is not None:
            self.kept_transport.abort()

    @property
    def is_new(self) -> bool:
        """Whether no request has come yet."""
        return not self._request_count

    @property
    def is_busy(self) -> bool:
        """Whether a request has come whose answer was not written yet."""
        return self._request_count > self.answered and not self._close

    @property
    def is_last(self) -> bool:
        """Whether the request that is being answered is the client's last, for it closed its sending side."""
        return self._client_done and not self._pending

    def resume_reading(self, resume_parser: bool = True) -> None:
        """See aiohttp, which calls this for every body, paused or not."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def _resume_reading_if_drained(self) -> None:
        """See aiohttp, which would read on when few requests wait. Here none does, and `_parse` decides."""

    def _parse(self) -> None:
        """Give the parser what has come of one request."""
        while self._pending and not (self._is_broken or self._close or self._force_close):
            is_chunked = False
            if self._payload.is_eof():
                if self._request_count > self.answered or self.writing_paused:
                    break
                end = self._end_of_head()
            elif self._reading_paused:  # until data_received is called without data
                break
            else:
                is_chunked = not self._body_left
                end = self._body_left or MAX_SLICE
            part, self._pending = self._pending[:end], self._pending[end:]
            self._feed(part)
            if is_chunked and self._pending:
                self._loop.call_soon(self._parse)  # a slice may hold thousands of chunks: others get their turn
                break
        if self._pending or self._unfinished or self._held or self._buffer_paused or self._client_done:
            self._settle()

    def _settle(self) -> None:
        """Read on or not, now that the parser has what it may get."""
        if self._is_broken or self._close or self._force_close:
            self.drop_pending()
            return
        is_waiting = bool(self._pending)
        if is_waiting != self._buffer_paused:
            self._pause_reading_for_buffer() if is_waiting else self._resume_reading_for_buffer()
        held = len(self._pending) + (self._unfinished if self._payload.is_eof() else 0)
        if held != self._held:
            self._hold(held)
        if self._client_done and not is_waiting:
            self._end_input()

    def _end_of_head(self) -> int:
        """Return how much of what is pending belongs to the head that it begins or goes on with."""
        pending = self._pending
        if not self._head_end and pending[0] in b"\r\n":  # line ends before a request
            return len(pending) - len(pending.lstrip(b"\r\n"))
        found = (self._head_end + pending).find(b"\r\n\r\n")
        return len(pending) if found < 0 else found + 4 - len(self._head_end)

    def _feed(self, part: bytes) -> None:
        """Give the parser a part of one head or of one body, and see what becomes of it."""
        payload, count = self._payload, self._request_count
        was_in_body, size = not payload.is_eof(), payload.total_bytes
        super().data_received(part)
        if self._request_count != count:
            if not payload.is_eof():  # the new request is only an error: aiohttp ends no body for it
                payload.set_exception(web.RequestPayloadError("the body is broken"))
            self._begin()
            return
        if was_in_body and payload.is_eof():
            self._unfinished = 0
            return
        self._unfinished += len(part)
        if was_in_body:
            if self._body_left:
                self._body_left -= len(part)
                return
            self._without_content = 0 if payload.total_bytes != size else self._without_content + len(part)
            most = CHUNK_OVERHEAD * payload.total_bytes + MAX_HEAD
            if self._unfinished > most or self._without_content > MAX_HEAD:
                self._is_broken = self.is_flood = True
                payload.set_exception(web.RequestPayloadError("the body is mostly chunk sizes"))
            return
        if self._head_end or part[0] not in b"\r\n":
            self._head_end = (self._head_end + part)[-3:]
        if self._unfinished > MAX_HEAD:
            super().data_received(b"\0")  # stands in no head: aiohttp refuses it like anything that is not HTTP
            self._begin()

    def _begin(self) -> None:
        """Begin with the request, or the error, that the parser has found."""
        message, self._payload = self._messages[-1]
        self._unfinished = self._without_content = self._body_left = 0
        self._head_end = b""
        if not isinstance(message, RawRequestMessage):
            self._is_broken = True
            message.exc.with_traceback(None)  # one of its frames refers to the message: a reference cycle
        elif not self._payload.is_eof():
            self._body_left = declared_length(message.headers) or 0

    def _forget(self, _answering: asyncio.Task[None]) -> None:
        """Refer to no body any more: nothing will be answered."""
        self._messages.clear()
        self._payload = EMPTY_PAYLOAD

    def log_refusal(self, why: str) -> None:
        """Log that this connection's bytes are refused; `why` is one of few texts, none of them the client's."""
        log.info("refused a request from %s: %s", self.peer, why)

    def _hold(self, size: int) -> None:
        """Count what waits."""
        self._budget.give_back(self._held)
        self._held = 0
        if self._budget.take(size):
            self._held = size
        else:
            self.log_refusal("too much of all requests is unfinished")
            self.abort()

    def _end_input(self) -> None:
        """Give up on what the client has not finished before it closed its sending side."""
        if not self._payload.is_eof():
            self._payload.set_exception(web.RequestPayloadError("the body breaks off"))
        elif not self.is_busy and self.transport is not None:
            self.transport.close()
