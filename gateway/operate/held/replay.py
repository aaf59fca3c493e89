"""Translates kept items again with the installed dialects: quarantined, rejected and stored ones. Pure."""

import json
from collections.abc import Callable, Mapping

import attrs

from gateway.dialect import Received, Route, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Refusal
from gateway.dialect.timestamps import from_millis
from gateway.dialect.value_class import value_class
from gateway.ingest.clients.privacy import Privacy
from gateway.ingest.items import ItemClassifier, LineWithFiles, NotStored
from gateway.ingest.registry import Installed
from gateway.operate.importing.found import HEADER
from gateway.records.raw_request import RawRequest
from gateway.records.redact import KeepIp
from gateway.storage.contract import Blob, Entry, EventRow
from gateway.storage.held.record import QuarantineRecord


@value_class
class Rerun:
    """What an item is now: a row to store, with its files; or, without a row, the faults that it still has."""

    row: EventRow | None = None
    blobs: tuple[Blob, ...] = ()
    faults: tuple[Fault, ...] = ()

    def entry(self, item: QuarantineRecord, now: int) -> Entry:
        """Return the entry that takes a quarantined item out of quarantine; `now` is in milliseconds since the epoch.

        The row itself has the time at which the item was received.
        """
        rows = () if self.row is None else (self.row,)
        return Entry(item.project, item.dialect, item.route, now, rows, blobs=self.blobs, resolves=item.number)


def request_of(raw: RawRequest, received_at: int) -> Request:
    """Return a kept request as it was received, with credentials redacted. `received_at` is in milliseconds.

    Raises ValueError if what was kept is damaged.
    """
    # `json` reads what orjson does not: the half surrogates that stand for a header's bytes that are not UTF-8.
    query, headers = json.loads(raw.query), json.loads(raw.headers)
    return Request(raw.method, raw.path, query, headers, raw.body, received_at, raw.client_ip)


def _parsed(route: Route, raw: RawRequest, received_at: int) -> Submission:
    """Return what a dialect reads of a kept request today; if it refuses it, or cannot read it, with that as fault."""
    try:
        return route.parse(request_of(raw, received_at))
    except Refusal as refusal:
        return Submission(fault=Fault(refusal.reason.value, detail=refusal.detail))
    except ValueError:
        return Submission(fault=Fault("damaged_request"))


class Replay:
    """Translates items again. `installed` are dialects by name; `keep_ip` and `asked` are those of `Config`.

    A request is parsed once for all of its items, as long as they are passed one after the other.
    """

    def __init__(
        self,
        installed: Mapping[str, Installed],
        keep_ip: Callable[[str], KeepIp | None] = lambda _project: None,
        asked: Callable[[str, Mapping[str, str]], Privacy | None] = lambda _project, _headers: None,
    ) -> None:
        self._installed = installed
        self._keep_ip = keep_ip
        self._asked = asked
        self._last: tuple[int | None, Submission] = (None, Submission())

    def rerun(self, quarantined: QuarantineRecord) -> Rerun:
        """Return what an item is now.

        Adds faults: `no_such_route`, `no_request`, `damaged_request`, `no_such_item`, `not_kept`, `privacy`.
        """
        if not quarantined.kept:
            return Rerun(faults=(Fault("not_kept" if quarantined.sha256 else "privacy"),))
        installed = self._installed.get(quarantined.dialect)
        route = None if installed is None else installed.route(quarantined.route)
        if installed is None or route is None:
            return Rerun(faults=(Fault("no_such_route"),))
        if quarantined.raw is None or quarantined.index is None:
            return Rerun(faults=(Fault("no_request"),))
        submission = self._submission(quarantined, quarantined.raw, route)
        if submission.fault is not None:
            return Rerun(faults=(submission.fault,))
        if quarantined.index >= len(submission.items):
            return Rerun(faults=(Fault("no_such_item"),))
        item = submission.items[quarantined.index]
        headers = json.loads(quarantined.raw.headers)
        if item.message_id is None and HEADER in headers:  # the id that the import gave it; it is imported only once
            item = attrs.evolve(item, message_id=quarantined.message_id)
        received_at = from_millis(quarantined.received_at) or ""
        received = Received(
            project=quarantined.project,
            site=quarantined.raw.site,
            received_at=received_at,
            client_ip=quarantined.raw.client_ip,
            context=submission.context,
        )
        asked = self._asked(quarantined.project, headers)
        classifier = ItemClassifier(installed, route, received, self._keep_ip(quarantined.project), asked=asked)
        line = classifier.event_line(item, item.message_id or quarantined.message_id)
        if isinstance(line, NotStored):
            return Rerun(faults=line.faults)
        key = classifier.dedupe_key(item)
        if isinstance(line, LineWithFiles):
            return Rerun(EventRow(line.line, key), line.files)
        return Rerun(EventRow(line, key))

    def _submission(self, quarantined: QuarantineRecord, raw: RawRequest, route: Route) -> Submission:
        """Return what an item's request says; it is parsed once for the items that follow one another."""
        if quarantined.receipt is None or quarantined.receipt != self._last[0]:
            self._last = (quarantined.receipt, _parsed(route, raw, quarantined.received_at))
        return self._last[1]
