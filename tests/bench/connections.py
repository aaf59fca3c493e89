"""Closed-loop keep-alive connections: each sends its next request when the last is answered, by hand on the wire.

A request costs one splice, one write and one scan of the answer's head: the load must cost far less than its answer.
"""

import asyncio
import re
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import cast

PATIENCE = 60.0
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_NO_BODY = (b"204", b"304")
_SUCCESS = ord("2")
_SPREAD = 0x9E3779B97F4A7C15 | 1  # odd, so that multiplying by it visits every id once, in no order
_MASK = (1 << 48) - 1


class Run:
    """The requests of one job, and what was answered in its latest phase."""

    def __init__(self, pieces: Sequence[str], first: int) -> None:
        self.pieces = [piece.encode("ascii") for piece in pieces]
        self.number = first
        self.last = self.number
        self.deadline = 0.0
        self.latencies = array("d")
        self.times = array("d")
        self.statuses: Counter[bytes] = Counter()
        self.refusal = ""
        self.busy = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def phase(self, connections: "list[Connection]", most: int, seconds: float) -> None:
        """Send so many requests, or for so long, and wait for the last answer. Raises ConnectionError, TimeoutError."""
        self.done = asyncio.get_running_loop().create_future()
        self.last = self.number + most
        self.deadline = time.perf_counter() + seconds
        self.busy = len(connections)
        self.latencies, self.times = array("d"), array("d")
        for connection in connections:
            connection.send()
        await asyncio.wait_for(self.done, seconds + PATIENCE)

    def next_request(self) -> bytes | None:
        """Return the next request, or None when the time or the count is up."""
        if self.number >= self.last or time.perf_counter() >= self.deadline:
            return None
        self.number += 1
        return (b"%012x" % ((self.number * _SPREAD) & _MASK)).join(self.pieces)

    def fail(self, problem: str) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(problem))


class Connection(asyncio.Protocol):
    """One connection with one request in flight."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = b""
        self._sent = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without saying so

    def send(self) -> None:
        run, transport = self._run, self._transport
        assert transport is not None
        request = run.next_request()
        if request is None:
            run.busy -= 1
            if run.busy == 0 and not run.done.done():
                run.done.set_result(None)
            return
        self._sent = time.perf_counter()
        transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        status = data[9:12]
        whole = end + 4
        if status not in _NO_BODY:
            length = _LENGTH.search(data, 0, end + 2)
            if length is None:
                self._run.fail(f"an answer without Content-Length: {data[:200]!r}")
                return
            whole += int(length[1])
        if len(data) < whole:
            self._buffer = data
            return
        self._buffer = b""
        run = self._run
        now = time.perf_counter()
        run.latencies.append(now - self._sent)
        run.times.append(now)
        run.statuses[status] += 1
        if status[0] != _SUCCESS and not run.refusal:
            run.refusal = data[:400].decode("latin-1")
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.fail(f"the server closed a connection: {exc}")
