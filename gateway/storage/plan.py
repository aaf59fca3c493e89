"""What a group of entries is decided from, and what is decided: a Snapshot and a Plan. Values only."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import attrs

from gateway.dialect.value_class import value_class
from gateway.storage import buckets
from gateway.storage.contract import Appended, Blob, Entry, EventRow

RECEIPT_RANDOM_BITS = 20
MAX_MILLIS = 1 << 42  # the year 2109: a later time would not fit into the number of a receipt

Stream = tuple[str, str, str]
"""A project, a dialect and a route."""


class Claim(NamedTuple):
    """What is stored of an idempotency key: see IdempotencyRecord; for `outcomes` see outcomes_json.py."""

    fingerprint: bytes
    outcomes: bytes
    receipt: int


@value_class
class HeldBack:
    """What of a group must not be stored, because its person was erased (see guard.py): it counts as a duplicate.

    `rows` are lines of events, `items` quarantined items by project, dialect and message id.
    """

    rows: frozenset[bytes] = frozenset()
    items: frozenset[tuple[str, str, str]] = frozenset()

    def touches(self, entry: Entry) -> bool:
        """Return whether an entry has anything of an erased person: then its request must not be kept."""
        if not self.rows and not self.items:
            return False
        return any(row.body in self.rows for row in entry.rows) or any(
            (entry.project, entry.dialect, item.message_id) in self.items for item in entry.quarantined
        )

    def blobs_of(self, entry: Entry) -> Sequence[Blob]:
        """Return the files of an entry without those that only rows have which are not stored."""
        if not entry.blobs or not self.touches(entry):
            return entry.blobs
        stays = [row.body for row in entry.rows if row.body not in self.rows]
        return [blob for blob in entry.blobs if any(blob.name.encode() in body for body in stays)]


NOTHING = HeldBack()


@attrs.define
class Snapshot:
    """What was committed before, as far as it concerns a group.

    `position`, `receipt` and `quarantine_id` are the last numbers given. `seen` are those of the group's dedupe keys
    that an event has, `quarantined` those that a quarantined item has. `claims` are by the digest of the idempotency
    key. `pending` are the verdicts of the quarantined items, by number, that the group resolves and that are still
    there. `streams` are the numbers of all streams. `room` is how many bytes the quarantine has left, by project; all
    others have no bound. `held_back` is what must not be stored. Of `lanes` processes that give numbers to receipts at
    the same time this is number `lane`: a receipt's number divided by `lanes` leaves it as remainder.
    """

    position: int = 0
    receipt: int = 0
    quarantine_id: int = 0
    seen: set[bytes] = attrs.field(factory=set)
    claims: Mapping[bytes, Claim] = attrs.field(factory=dict)
    quarantined: set[bytes] = attrs.field(factory=set)
    pending: Mapping[int, str] = attrs.field(factory=dict)
    streams: Mapping[Stream, int] = attrs.field(factory=dict)
    room: Mapping[str, int] = attrs.field(factory=dict)
    held_back: HeldBack = NOTHING
    lane: int = 0
    lanes: int = 1


@value_class
class QuarantinedRequest:
    """One request's quarantined items, with the successive numbers from `first` on.

    `keys` has each item's dedupe key or None. `items` are those of quarantined_items.py. `size` is in bytes, and what
    counts. If there was no room, `keys` and `request` are missing, and `body_size` and `sha256` are those of its body.
    If the client asked for privacy, `request` and `sha256` are missing.
    """

    first: int
    size: int
    received_at: int
    project: str
    dialect: str
    route: str
    receipt: int
    keys: tuple[bytes | None, ...]
    items: bytes
    request: bytes | None = None
    body_size: int | None = None
    sha256: bytes | None = None


@attrs.define
class Plan:
    """What a group becomes: an answer for each entry, and rows for each table.

    `events` are those to store, in the order of their positions; `keys` and `quarantined_keys` are the new dedupe keys.
    `counts` are by minute (its start, in seconds), project, dialect and verdict. The numbers are the last ones given.
    `quarantine` has one value for each request with quarantined items, `quarantined_bytes` what they add to each
    project's size.

    These lists are flat, one row's values after the other's, as the statements take them:

    - `raws`: receipt, compressed request
    - `receipts`: number, received_at, number of the stream, first position, number of events, items (see
      outcomes_json.py) or None

    `settled` has one such row for each quarantined item that is resolved, by its number: number, verdict ("stored",
    "duplicate" or "dropped"), position or None, time.
    """

    snapshot: Snapshot
    random_bits: Callable[[], int]
    position: int = attrs.field(init=False)
    receipt: int = attrs.field(init=False)
    quarantine_id: int = attrs.field(init=False)
    answers: list[Appended] = attrs.field(factory=list)
    events: list[EventRow] = attrs.field(factory=list)
    keys: set[bytes] = attrs.field(factory=set)
    quarantine: list[QuarantinedRequest] = attrs.field(factory=list)
    quarantined_bytes: Counter[str] = attrs.field(factory=Counter)
    quarantined_keys: set[bytes] = attrs.field(factory=set)
    raws: list[object] = attrs.field(factory=list)
    receipts: list[object] = attrs.field(factory=list)
    streams: dict[Stream, int] = attrs.field(factory=dict)
    settled: dict[int, list[object]] = attrs.field(factory=dict)
    claims: dict[bytes, Claim] = attrs.field(factory=dict)
    counts: Counter[tuple[int, str, str, str]] = attrs.field(factory=Counter)

    def __attrs_post_init__(self) -> None:
        """Go on from the numbers of the snapshot."""
        before = self.snapshot
        self.position, self.receipt, self.quarantine_id = before.position, before.receipt, before.quarantine_id

    def totals(self) -> Counter[tuple[str, str, str]]:
        """Return what to add to the counters, by project, dialect and verdict."""
        totals: Counter[tuple[str, str, str]] = Counter()
        for (_, project, dialect, verdict), count in self.counts.items():
            totals[project, dialect, verdict] += count
        return totals

    def counters(self) -> list[object]:
        """Return the rows of what to add to the counters, flat: project, dialect, verdict, count."""
        return [value for name, count in self.totals().items() if count for value in (*name, count)]

    def counter_buckets(self) -> list[object]:
        """Return the rows of what to add to the counters by time, flat: span, start, then as in `counters`."""
        return [value for row in self.bucket_rows() for value in row]

    def bucket_rows(self) -> list[tuple[object, ...]]:
        """Return what to add to the counters by time: a list of `(span, start, project, dialect, verdict, count)`."""
        return buckets.rows(self.counts.items())

    def claimed(self) -> list[object]:
        """Return the rows of the new claims, flat: digest, fingerprint, outcomes, receipt."""
        return [value for digest, claim in self.claims.items() for value in (digest, *claim)]

    def named_streams(self) -> list[object]:
        """Return the rows of the new streams, flat: number, project, dialect, route."""
        return [value for name, number in self.streams.items() for value in (number, *name)]

    def settlements(self) -> list[object]:
        """Return the rows of the quarantined items that are resolved, flat."""
        return [value for row in self.settled.values() for value in row]

    def stream(self, entry: Entry) -> int:
        """Return the small number that stands for the entry's project, dialect and route together."""
        name = (entry.project, entry.dialect, entry.route)
        found = self.snapshot.streams.get(name) or self.streams.get(name)
        if found is None:
            found = self.streams[name] = len(self.snapshot.streams) + len(self.streams) + 1
        return found

    def next_receipt(self, received_at: int) -> int:
        """Return the number of a new receipt: larger than all before, and beginning with the time.

        Receipts are public; sequential numbers would tell everybody how much traffic there is.
        """
        snapshot, drawn = self.snapshot, self.random_bits()
        number = (received_at if received_at < MAX_MILLIS else MAX_MILLIS) << RECEIPT_RANDOM_BITS | drawn
        after = self.receipt + 1 + (drawn & 0xFF)
        if number < after:
            number = after
        self.receipt = number = number + (snapshot.lane - number) % snapshot.lanes
        return number
