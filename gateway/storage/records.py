"""What operators ask of a store beside the log: values and Records, the contract. No engine here.

The quarantine, receipts, counters, kept requests, and the requests that were rejected.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from gateway.dialect.value_class import value_class
from gateway.records.raw_request import RawRequest
from gateway.storage.held.groups import (
    EVERY_ITEM,
    EVERY_REJECTION,
    GROUPED_ITEMS,
    PAGE,
    Listed,
    QuarantineFilter,
    QuarantineGroups,
    RejectedFilter,
    RejectedGroup,
)
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.read import Position

QUARANTINE_COLUMNS = (
    *("id", "message_id", "received_at", "project", "dialect", "route"),
    *("verdict", "item", "receipt", "faults", "payload"),
)
"""The keys of a row of `Records.quarantine`, in order."""
MAX_RECEIPT_ID = 16
RECEIPT_WITHIN = 60_000
"""Milliseconds after an event's `received_at` in which the number of its receipt begins, unless a clock was set."""
MOST_REPLAYED = 200
"""Receipts of one millisecond that are looked at for the one of a replayed event."""


@value_class
class RawEvents:
    """One kept request of stored events: `events` is `{item's index: (position, line)}`."""

    receipt: int
    received_at: int
    project: str
    dialect: str
    route: str
    raw: RawRequest
    events: Mapping[int, tuple[Position, bytes]]


@value_class
class CredentialUse:
    """When a credential was used last (milliseconds since the epoch), and how often on one day.

    `rejected` requests are among the `requests`.
    """

    last_used: int
    requests: int
    rejected: int


@value_class
class NewRows:
    """What has come in since a look: the newest rows, the oldest of them first, of `count` items in all.

    `mark` is what the next look is given: an opaque value of the engine.
    """

    mark: object
    rows: Sequence[dict[str, Any]]
    count: int


class Records(Protocol):
    """Reads what is committed, beside the writers; two methods change it. Every engine passes the same tests.

    Each call, and each step of an iterator, is a bounded piece of work. Raises StoreError if the store cannot be read.
    Times are in milliseconds since the epoch unless it says otherwise.
    """

    def quarantine(self, after: int = 0, project: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Yield the quarantined items after an id, as dicts with QUARANTINE_COLUMNS as keys; the oldest come first.

        `faults` and `payload` are JSON text, `receipt` is in hex. `message_id` and `payload` are None where only the
        request has them (see `quarantine_record`). An item for which there was no room has three more: `kept` (False),
        and `size` and `sha256` of its request's body.
        """
        ...

    async def new_quarantined(self, mark: object = None, most: int = 100) -> NewRows:
        """Return the items that were quarantined or filtered since a look, `most` of them; without a mark none yet.

        The rows are those of `quarantine` without `payload`. What several gateways write at the same time may come in
        another order.
        """
        ...

    async def quarantine_record(self, number: int) -> QuarantineRecord | None:
        """Return a quarantined item by its id; None if there is none, or no more.

        It is fast for one item after the other of one request: that is read once.
        """
        ...

    async def quarantine_groups(
        self, where: QuarantineFilter = EVERY_ITEM, before: int | None = None, most: int = GROUPED_ITEMS
    ) -> QuarantineGroups:
        """Return the newest quarantined items by their first faults, of items with ids before `before`.

        About `most` items are looked at: whole requests, and also those that are not asked for.
        """
        ...

    async def quarantine_page(
        self, where: QuarantineFilter = EVERY_ITEM, before: int | None = None, most: int = PAGE
    ) -> Listed:
        """Return quarantined items with ids before `before`, newest first, as rows of `quarantine`."""
        ...

    async def quarantine_bytes(self) -> int:
        """Return what the quarantines of all projects take, as `quarantine_megabytes` counts it."""
        ...

    async def count_quarantined(self, after: int = 0, most: int = 5000) -> tuple[int, int | None]:
        """Return how many items are in the next `most` requests of the quarantine, and the id to go on after.

        `after` is the id of an item. The second is None if these were the last requests.
        """
        ...

    async def settled(self, number: int) -> str | None:
        """Return how a quarantined item ended, such as `stored at position 7`, or `dropped`; None if it did not end."""
        ...

    async def receipt(self, receipt_id: str) -> dict[str, Any] | None:
        """Return a receipt by its id as clients get it (hex); None if there is none.

        `items` is in the request's order. A stored item has a `position`, a quarantined or filtered one `quarantine`
        (its id), an invalid one `faults`. `since` is how a quarantined item ended later. Of a very long request the ids
        of items that are neither stored nor in quarantine may not be kept: then `message_id` is None.

            {"receipt": "18bcfe56800d5c3a", "project": "shop", "dialect": "tranthor", "route": "batch",
             "received_at": "2023-11-14T22:13:20.000Z", "items": [
                {"verdict": "stored", "message_id": "m-1", "position": 7},
                {"verdict": "quarantined", "message_id": "m-2", "quarantine": 3, "since": "dropped",
                 "faults": [{"code": "required", "pointer": "/event", "detail": {}}]}]}
        """
        ...

    async def receipt_of(self, position: Position) -> dict[str, Any] | None:
        """Return the receipt of the request of an event, as `receipt` does; None if it is not known any more.

        The receipt of a replayed event is that of its quarantined item. An event that was moved here is found by its
        old position, too.
        """
        ...

    async def raw_of(self, receipt: Mapping[str, Any]) -> RawRequest | None:
        """Return the request that a receipt is of, as it came but redacted; None if it is not kept.

        It is kept for `keep_raw_days`, and as long as one of its items is in quarantine.
        """
        ...

    async def counters(self) -> list[tuple[str, str, str, int]]:
        """Return how many items had each outcome so far: `(project, dialect, verdict, count)`, sorted.

        For each project and dialect, `received` is the sum of `stored`, `duplicate`, `quarantined` and `filtered`.
        `rejected` items, which an answer named as invalid, are not in `received`.
        """
        ...

    async def counter_buckets(
        self, span: int, since: int, project: str | None = None, dialect: str | None = None
    ) -> list[tuple[int, str, str, str, int]]:
        """Return the buckets of a span that start at a time or later: `(start, project, dialect, verdict, count)`.

        All times are in seconds, starts since the epoch. The oldest come first. A replay takes an item from
        `quarantined` or `filtered` in the bucket of the replay, so that a count there may be negative.
        """
        ...

    async def stored_by_time(
        self, span: int, since: int, step: int, project: str | None = None
    ) -> list[tuple[int, str, int]]:
        """Return how many events were stored in each step: `(start, dialect, count)`, the oldest first.

        They are the sums of the buckets of a span that start at `since` or later. A step is a multiple of the span, and
        begins at a multiple of itself; all times are in seconds.
        """
        ...

    async def counts_by_project(
        self, span: int, since: int, before: int | None = None, project: str | None = None
    ) -> list[tuple[str, str, str, int]]:
        """Return the sums of the buckets of a span by `(project, dialect, verdict, count)`, sorted.

        These are the buckets that start at `since` or later, and before `before`, also those of rejected requests; an
        unknown project is empty. Times are in seconds.
        """
        ...

    async def counted_since(self) -> int | None:
        """Return since when there are counters by time (seconds since the epoch); None if there always were."""
        ...

    async def reader_lag(self) -> float | None:
        """Return for how many seconds an open transaction has kept readers of the log from going on; 0 if none does.

        None on an engine whose readers wait for nobody.
        """
        ...

    def raw_events(self, project: str | None = None) -> AsyncIterator[RawEvents]:
        """Yield the requests that `[storage] keep_raw_days` keeps, oldest first."""
        ...

    async def rewrite(self, changes: Sequence[tuple[Position, bytes, bytes]]) -> int:
        """Replace lines in one transaction, and return how many were replaced.

        `changes` is a list of `(position, old line, new line)`. An event that no longer has its old line stays as it
        is. On SQLite, only the holder of the directory's lock may call this.
        """
        ...

    def rejected_requests(self, project: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Yield rejected requests as dicts, oldest first; `faults` is a JSON text.

        The keys are id, received_at, project, dialect, route, reason, status, method, path, client_ip, credential_id,
        origin, request_id, cut, replayed and faults. A request that named a known credential, valid or not, has its
        `project` and `credential_id`.
        """
        ...

    async def new_rejected(self, mark: object = None, most: int = 100) -> NewRows:
        """Return the requests that were rejected since a look, `most` of them; without a mark none yet.

        The rows are those of `rejected_requests`.
        """
        ...

    async def rejected_request(self, number: int) -> tuple[dict[str, Any], RawRequest] | None:
        """Return a rejected request, as in `rejected_requests` and as it came; None if it is gone."""
        ...

    async def rejected_groups(self, since: int | None = None) -> list[RejectedGroup]:
        """Return the newest rejected requests by what they have in common, the largest groups first.

        GROUPED_REJECTIONS of each kind are looked at, and then left out if they came before `since` (milliseconds).
        There are at most MOST_GROUPS of each kind.
        """
        ...

    async def rejected_page(
        self, where: RejectedFilter = EVERY_REJECTION, before: int | None = None, most: int = PAGE
    ) -> Listed:
        """Return rejected requests with ids before `before`, newest first, as rows of `rejected_requests`."""
        ...

    async def rejected_counts(self) -> list[tuple[str, str, int]]:
        """Return how many items were rejected: `(project, dialect, count)`, sorted. An unknown project is empty."""
        ...

    async def rejected_buckets(self, span: int, since: int) -> list[tuple[int, str, str, int]]:
        """Return how many items were rejected by time: `(start, project, dialect, count)`, the oldest first.

        These are the buckets of a span that start at `since` or later; all times are in seconds.
        """
        ...

    async def credential_uses(self, day: int) -> dict[str, CredentialUse]:
        """Return the uses of each credential that was ever used, by its id; `day` of UTC is in days since the epoch.

        They are written some seconds after the answers.
        """
        ...

    async def mark_rejected(self, number: int, how: str) -> None:
        """Write beside a rejected request how its replay ended, in a few words. The first one stays."""
        ...


def held_number(receipt: Mapping[str, Any]) -> int | None:
    """Return the id of an item of a receipt (see `Records.receipt`) that is still in quarantine; None if none is."""
    return next((item["quarantine"] for item in receipt["items"] if "quarantine" in item and "since" not in item), None)


def receipt_number(receipt_id: str) -> int | None:
    """Return the number of a receipt by its id as clients get it (hex); None if no receipt can have that id."""
    if len(receipt_id) > MAX_RECEIPT_ID or not receipt_id.isalnum():
        return None
    try:
        number = int(receipt_id, 16)
    except ValueError:
        return None
    return number if number < 1 << 63 else None
