"""What is asked of a store: the values, Storage (an entry at a time), Engine (a group at a time). No engine here."""

import asyncio
import enum
from collections.abc import Sequence
from typing import Protocol

import attrs

from gateway.dialect.outcome import Outcome, StorageUnavailable, Verdict
from gateway.dialect.value_class import value_class
from gateway.records.raw_request import RawRequest


@value_class
class EventRow:
    """One event to append: its canonical JSON line, and the 16-byte digest of the client's id for it (see ids.py).

    `key` is None where the gateway made the id, which therefore was never seen before.
    """

    body: bytes
    key: bytes | None = None


@value_class
class QuarantinedItem:
    """One item that was answered 2xx and is not stored as an event: invalid, or filtered (`verdict`).

    `faults` is a JSON list of `{"code", "pointer", "detail"}`. `payload` is the item's JSON with credentials redacted,
    `index` its place in the request. `key` is as an EventRow's: an id that is known, as an event's or as a
    quarantined item's, is not quarantined again.
    """

    message_id: str
    faults: bytes
    payload: bytes
    key: bytes | None = None
    index: int = 0
    verdict: str = "quarantined"


@value_class
class Blob:
    """A file that came with an event, named by the SHA-256 of its bytes (lower-case hex)."""

    name: str
    content: bytes


@value_class
class IdempotencyRecord:
    """What is remembered of a request that has an Idempotency-Key.

    `digest` stands for the key in its scope, `fingerprint` for the request's content (16 bytes each). `outcomes` has
    one for each item, in their order, as in `Entry.outcomes`, but is never left out.
    """

    digest: bytes
    fingerprint: bytes
    outcomes: tuple[Outcome, ...]


@value_class
class Entry:
    """One submission to append: all of it is committed, or none.

    `received_at` is in milliseconds since the epoch. `raw` is the request that the quarantined items came in,
    `raw_compressed` the request of stored events, where the operator wants it kept for a while.

    `outcomes` has one for each item, in their order, as if no id was known before: STORED for each of `rows`,
    QUARANTINED or FILTERED for each of `quarantined`, REJECTED for what is neither. It is empty where every item is a
    row, as in nearly all entries.

    `resolves` is the number of a quarantined item that ends with this entry: it is replayed where the entry brings its
    row, and dropped where it brings none. If it has ended before, the answer is REPLAYED and nothing is written.
    """

    project: str
    dialect: str
    route: str
    received_at: int
    rows: tuple[EventRow, ...] = ()
    quarantined: tuple[QuarantinedItem, ...] = ()
    blobs: tuple[Blob, ...] = ()
    idempotency: IdempotencyRecord | None = None
    raw: RawRequest | None = None
    outcomes: tuple[Outcome, ...] = ()
    resolves: int | None = None
    raw_compressed: bytes = b""


class AppendStatus(enum.Enum):
    """How an entry stands to what was committed before."""

    NEW = "new"
    REPLAYED = "replayed"
    CONFLICT = "conflict"


@value_class
class Appended:
    """The answer to an entry.

    `duplicates` are the indexes of the items whose id was known before, in their order; the other items are what the
    entry says. `receipt` is the number of the receipt. Of a replay, `outcomes` and `receipt` are those of the first
    time.
    """

    status: AppendStatus
    duplicates: tuple[int, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    receipt: int = attrs.field(default=0, eq=False)

    def applied_to(self, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """Return an entry's outcomes, one for each item, with those of the duplicates as they became."""
        if not self.duplicates:
            return outcomes
        final = list(outcomes)
        for index in self.duplicates:
            final[index] = attrs.evolve(final[index], verdict=Verdict.DUPLICATE)
        return tuple(final)


class Storage(Protocol):
    """An append-only log. Every engine passes the one contract suite."""

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk, fsync included. Raises StorageUnavailable when it cannot be kept."""
        ...

    @property
    def healthy(self) -> bool:
        """Whether an append can be expected to succeed."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then release the file."""
        ...


class SubmittingStorage(Storage, Protocol):
    """A Storage whose append is two steps: who does something else meanwhile needs no task an entry."""

    def submit(self, entry: Entry) -> "asyncio.Future[Appended]":
        """Take the entry on, and return what `append` would once it is known. Raises what append raises at once."""
        ...


class Broken(StorageUnavailable):
    """What is in memory and what is on disk may differ: nothing may be acknowledged before a reopen."""


class Engine(Protocol):
    """A store that commits whole groups. Calls are not made at the same time."""

    async def commit(self, entries: Sequence[Entry]) -> list[Appended]:
        """Return one answer an entry once all are on disk; on any exception none is.

        Raises Broken where the engine must be reopened, another StorageUnavailable where the next commit may do better
        (a full disk), and anything else where an entry is at fault. An empty group is written too: it is a probe.
        """
        ...

    async def reopen(self) -> None:
        """Start again from what is really on disk. Raises Broken where that fails too."""
        ...

    async def close(self) -> None:
        """Release the file."""
        ...
