"""Collects rejected requests for a store that keeps them: bounded, and written asynchronously. No engine here.

Nothing here may delay an answer or make it fail. Rejections that come faster than they can be written are only counted,
and so are those that come while they cannot be written.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from gateway.records.bounded_head import bounded
from gateway.records.rejected_request import PendingRejection, RejectedRequest
from gateway.storage import buckets

Counts = Counter[tuple[int, str, str]]
"""Rejected items by minute (its start, in seconds), project and dialect; an unknown project is empty."""
MAX_WAITING = 250
"""How many rejections of projects' own clients may wait for the next write, and how many of all others."""
MAX_WAITING_BYTES = 1 << 20
MAX_PATH, MAX_QUERY = 4096, 30_000
"""How much is kept of a request's path, in characters, and of its query, in bytes of JSON."""
STOP_SECONDS = 2.0
"""How long a stopping server prepares what waits; the rest is only counted."""
log = logging.getLogger(__name__)


class RejectedWriter(Protocol):
    """Writes rejections into a store. Several processes may do so at the same time."""

    @property
    def name(self) -> str:
        """How messages name what is written."""
        ...

    async def write(self, rows: Callable[[], Sequence[dict[str, Any]]], counts: Counts) -> None:
        """Write rejections and counts in one transaction, and delete the oldest beyond the bounds.

        `rows` takes long, so it is called in another thread. Each has the keys of `row`. Raises OSError and the
        engine's own errors, which `expected` has.
        """
        ...

    @property
    def expected(self) -> tuple[type[Exception], ...]:
        """The errors of `write`, beside OSError, that are no bugs."""
        ...

    def is_gone(self) -> bool:
        """Return whether the whole store is missing: then the rest of the gateway says so."""
        ...

    async def close(self) -> None:
        """Release what is open. A later write opens it again."""
        ...


class RejectedRequestLog:
    """Collects rejections, and writes them every `pause` seconds.

    Requests of a project's own clients get a queue of their own, and so do all others: nobody without a key can push
    out the rejections of a project's own clients, not even somebody who names a public id of the project. Without
    `keep` they are only counted.
    """

    def __init__(self, writer: RejectedWriter, *, keep: bool, pause: float = 1.0) -> None:
        self._writer = writer
        self._keep = keep
        self._pause = pause
        self._waiting: tuple[deque[PendingRejection], deque[PendingRejection]] = (deque(), deque())
        self._bytes = [0, 0]
        self._counts: Counts = Counter()
        self._last_error = ""
        self._give_up_at = math.inf
        """When nothing more is prepared, by the monotonic clock. Read by the thread that prepares."""

    def add(self, rejection: PendingRejection) -> None:
        """Queue a rejection for the next write, or only count it if too many wait. Never blocks and never fails."""
        known = rejection.is_clients
        minute = buckets.minute_of(rejection.request.received_at)
        self._counts[minute, rejection.project or "", rejection.dialect.name] += max(1, rejection.items)
        queue = self._waiting[known]
        if not self._keep or len(queue) >= MAX_WAITING or self._bytes[known] > MAX_WAITING_BYTES:
            return
        self._bytes[known] += rejection.weight()
        queue.append(rejection)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write in the background during the block, and at its end what can still be prepared in STOP_SECONDS."""
        stopping = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(stopping))
        try:
            yield
        finally:
            # Not cancelled: what is being written would be neither counted nor written again if that fails.
            self._give_up_at = time.monotonic() + STOP_SECONDS
            stopping.set()
            await task
            await self._flush()
            await self._writer.close()
            self._give_up_at = math.inf

    async def _run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._pause)
            await self._flush()

    async def _flush(self) -> None:
        if not self._counts:
            return
        rejections = [*self._waiting[1], *self._waiting[0]]
        counts, self._counts = self._counts, Counter()
        self._waiting, self._bytes = (deque(), deque()), [0, 0]
        try:
            await self._writer.write(lambda: self._rows(rejections), counts)
        except Exception as error:
            if not isinstance(error, (OSError, *self._writer.expected)):
                log.exception("a bug: some rejected requests were lost")
                return
            self._counts += counts
            if str(error) != self._last_error:
                # If the whole store is gone, the gateway says so itself: once is enough.
                level = logging.DEBUG if self._writer.is_gone() else logging.WARNING
                log.log(level, "cannot write %s: %s; rejected requests are only counted", self._writer.name, error)
            self._last_error = str(error)
        else:
            self._last_error = ""

    def _rows(self, rejections: Sequence[PendingRejection]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for rejection in rejections:
            if time.monotonic() > self._give_up_at:
                lost = len(rejections) - len(rows)
                log.warning("the server stops: %d rejected requests are counted, but not kept", lost)
                break
            rows.append(row(rejection.record()))
        return rows


def row(rejected: RejectedRequest) -> dict[str, Any]:
    """Return what is stored of a rejection: beside the body no more than 64 KiB, whatever the head of the request is.

    `size` is what counts of it, `known` whether it is a project's own client's; the rest is as RejectedRequest has it.
    """
    raw = rejected.raw
    path, query, headers = raw.path[:MAX_PATH], bounded(raw.query, MAX_QUERY), bounded(raw.headers)
    return {
        "received_at": rejected.received_at,
        "project": rejected.project,
        "dialect": rejected.dialect,
        "route": rejected.route,
        "reason": rejected.reason,
        "status": rejected.status,
        "faults": rejected.faults,
        "method": raw.method,
        "path": path,
        "query": query.decode(),
        "headers": headers.decode(),
        "body": raw.body,
        "client_ip": raw.client_ip,
        "site": raw.site,
        "cut": rejected.cut or query != raw.query,
        "size": 200 + len(rejected.faults) + len(path) + len(query) + len(headers) + len(raw.body),
        "known": rejected.is_clients,
        "credential_id": rejected.credential_id,
        "origin": rejected.origin,
        "request_id": rejected.request_id,
    }
