"""What a quarantined item is, for people: its message id and payload may be only in the request that is kept. Pure."""

from collections.abc import Callable, Mapping

from gateway.dialect import Submission
from gateway.dialect.outcome import Refusal
from gateway.dialect.value_class import value_class
from gateway.ingest.kept_requests import payload_json
from gateway.ingest.registry import Installed
from gateway.operate.held.replay import request_of
from gateway.records.raw_request import RawRequest
from gateway.storage.held.record import QuarantineRecord

NO_DIALECT = "its payload is in its request, and the dialect that reads it is not installed"
NOT_FOUND = "its payload is in its request, in which the installed dialect does not find the item any more"
NAMELESS = "its client asked for privacy: only its fault was kept, and the size of its request's body"
NOT_KEPT = "the quarantine of its project was full: only its fault was kept, and size and SHA-256 of its request's body"


@value_class
class Shown:
    """An item's message id and its payload (JSON); None, with a `note` that says why, where they are not known."""

    message_id: str | None
    payload: str | None
    note: str | None = None


def why_not_kept(sha256: str | None) -> str:
    """Return why the request of an item is not kept; its digest is there if only the room was missing."""
    return NOT_KEPT if sha256 else NAMELESS


class Contents:
    """Finds quarantined items in their requests. `installed` returns dialects by name, and is called if any is needed.

    A request is parsed once for all of its items, as long as they are asked for one after the other.
    """

    def __init__(self, installed: Callable[[], Mapping[str, Installed]]) -> None:
        self._installed = installed
        self._last: tuple[int | None, Submission] = (None, Submission())

    def of(self, item: QuarantineRecord) -> Shown:
        """Return an item's message id and payload."""
        message_id, payload = item.message_id or None, item.payload or None
        if not item.kept:
            return Shown(message_id, payload, why_not_kept(item.sha256))
        if item.raw is None or item.index is None or (message_id and payload):
            return Shown(message_id, payload)
        submission = self._submission(item, item.raw)
        if submission is None:
            return Shown(message_id, payload, NO_DIALECT)
        if item.index >= len(submission.items):
            return Shown(message_id, payload, NOT_FOUND)
        found = submission.items[item.index]
        written = payload_json(found.payload, item.raw.body).decode()
        return Shown(message_id or found.message_id, payload or written)

    def _submission(self, item: QuarantineRecord, raw: RawRequest) -> Submission | None:
        installed = self._installed().get(item.dialect)
        route = None if installed is None else installed.route(item.route)
        if route is None:
            return None
        if item.receipt is None or item.receipt != self._last[0]:
            try:
                submission = route.parse(request_of(raw, item.received_at))
            except (Refusal, ValueError):  # today it is too large, or what is kept of it is damaged
                submission = Submission()
            self._last = (item.receipt, submission)
        return self._last[1]
