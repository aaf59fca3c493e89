"""Held items through today's dialects once more: what each becomes now. Pure but for the store that it appends to."""

import hashlib
from collections.abc import Callable, Mapping

import orjson

from gateway.dialect import Arrival, Item, Submission
from gateway.examine import Examiner, KeepIp, Misfit, WithBlobs
from gateway.ids import key
from gateway.message import Request
from gateway.outcome import Fault
from gateway.record import record
from gateway.registry import Installed
from gateway.storage.base import Blob, Entry, Raw, Row
from gateway.storage.heldreader import HeldItem
from gateway.timestamps import from_millis


@record
class Rerun:
    """What an item would be today: the row to store with its files, or the faults that it still has."""

    row: Row | None = None
    blobs: tuple[Blob, ...] = ()
    faults: tuple[Fault, ...] = ()

    def entry(self, item: HeldItem, now: int) -> Entry:
        """Return what settles the held item; the event keeps the time at which it came."""
        rows = () if self.row is None else (self.row,)
        return Entry(item.project, item.dialect, item.route, now, rows, blobs=self.blobs, settles=item.number)


def request_of(raw: Raw, received_at: int) -> Request:
    """Return a kept request as it came in."""
    query, headers = orjson.loads(raw.query), orjson.loads(raw.headers)
    return Request(raw.method, raw.path, query, headers, raw.body, received_at, raw.client_ip)


class Replay:
    """Runs held items through the installed dialects; `keep_ip` is as the pipeline's.

    Items of one request come one after the other, so that it is read once.
    """

    def __init__(
        self, installed: Mapping[str, Installed], keep_ip: Callable[[str], KeepIp | None] = lambda _project: None
    ) -> None:
        self._installed = installed
        self._keep_ip = keep_ip
        self._last: tuple[int | None, Submission] = (None, Submission())

    def rerun(self, held: HeldItem) -> Rerun:
        """Return what a held item is today."""
        installed = self._installed.get(held.dialect)
        routes = [] if installed is None else [route for route in installed.routes if route.name == held.route]
        if installed is None or not routes:
            return Rerun(faults=(Fault("no_such_route"),))
        if held.raw is None or held.index is None:
            return Rerun(faults=(Fault("no_request"),))
        route = routes[0]
        if held.receipt is None or held.receipt != self._last[0]:
            self._last = (held.receipt, route.parse(request_of(held.raw, held.received_at)))
        submission = self._last[1]
        if submission.fault is not None:
            return Rerun(faults=(submission.fault,))
        if held.index >= len(submission.items):
            return Rerun(faults=(Fault("no_such_item"),))
        item = submission.items[held.index]
        received_at = from_millis(held.received_at) or ""
        arrival = Arrival(held.project, held.raw.site, received_at, held.raw.client_ip, submission.context)
        examiner = Examiner(installed, route, arrival, self._keep_ip(held.project))
        made = examiner.examine(item, item.message_id or held.message_id)
        if isinstance(made, Misfit):
            return Rerun(faults=made.faults)
        blobs: tuple[Blob, ...] = ()
        if isinstance(made, WithBlobs):
            blobs = tuple(Blob(hashlib.sha256(content).hexdigest(), content) for content in made.blobs)
            made = made.line
        return Rerun(Row(made, _key(held, item)), blobs)


def _key(held: HeldItem, item: Item) -> bytes | None:
    """Return the digest of the client's id in its scope, the very one that its retry would have."""
    site = item.site or (held.raw.site if held.raw else None) or ""
    return key(held.project, held.dialect, site, item.kind, item.message_id) if item.message_id else None
