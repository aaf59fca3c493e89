"""What a store is asked and what it answers: values, then Storage (one entry) and Engine (a group). No engine here."""

import asyncio
import enum
from collections.abc import Sequence
from typing import Protocol

import attrs

from gateway.dialect.outcome import Outcome, StorageUnavailable, Verdict
from gateway.dialect.value_class import value_class


@value_class
class EventRow:
    """One event to append.

    `body` is its canonical JSON, one line of UTF-8. `key` is its dedupe key (16 bytes, see ingest/ids.py); None if the
    client sent no id, so that the event is new for certain.
    """

    body: bytes
    key: bytes | None = None


@value_class
class QuarantinedItem:
    """One item that is answered with 2xx and kept aside, not stored as an event.

    `verdict` says why: "quarantined" (it is invalid) or "filtered". `index` is its place among the request's items.
    `payload` is its JSON with credentials redacted, or empty: then it is what the route's `parse` makes of the entry's
    `request` at that index. `faults` is a JSON list of `{"code", "pointer", "detail"}`. `key` is its dedupe key: an
    item is a duplicate if an event or another quarantined item has its key.
    """

    message_id: str
    faults: bytes
    payload: bytes = b""
    key: bytes | None = None
    index: int = 0
    verdict: str = "quarantined"


@value_class
class KeptRequest:
    """The request of quarantined items: `compressed` (see raw_request.py), the size and SHA-256 of its body.

    Of a client who asked for privacy only the size is known: the others are empty.
    """

    compressed: bytes
    size: int
    sha256: bytes


@value_class
class Blob:
    """A file that came with an event; `name` is the SHA-256 of its content in lower-case hex."""

    name: str
    content: bytes


@value_class
class IdempotencyRecord:
    """What is remembered of a request with an Idempotency-Key.

    `digest` stands for the key in its scope, `fingerprint` for the request's content (16 bytes each). `outcomes` has
    one outcome per item, in their order, always: they are the answer to a retry.
    """

    digest: bytes
    fingerprint: bytes
    outcomes: tuple[Outcome, ...]


@value_class
class Entry:
    """One submission to append: all of it is committed, or nothing.

    `received_at` is in milliseconds since the epoch. It is that of every row, so that events are found by time without
    reading them; only a row that takes an item out of quarantine has the time of its first try. `request` is the one
    that the quarantined items came in. `raw_compressed` is the request of stored events, if the operator keeps those
    for a while.

    `outcomes` is empty if every item is a row, as in nearly all entries. Otherwise it has one outcome per item, in
    their order, as if no key were known: STORED for each of `rows`, QUARANTINED or FILTERED for each of `quarantined`,
    REJECTED for an item that is in neither:

        rows=(EventRow(b"..."),), quarantined=(QuarantinedItem("m-1", ..., index=0),),
        outcomes=(Outcome(QUARANTINED, "m-1", ...), Outcome(STORED, "m-2"), Outcome(REJECTED, "m-3", ...))

    `resolves` is the number of a quarantined item that this entry replays (with its row) or drops (without a row). If
    the item was replayed or dropped before, the answer is REPLAYED and nothing is written.

    `imported` says that a command read it from a file, so that no request was counted for it. A `trial` gets the answer
    that the entry would get, and nothing of it is kept or counted; it has neither files nor an idempotency key.
    """

    project: str
    dialect: str
    route: str
    received_at: int
    rows: tuple[EventRow, ...] = ()
    quarantined: tuple[QuarantinedItem, ...] = ()
    blobs: tuple[Blob, ...] = ()
    idempotency: IdempotencyRecord | None = None
    request: KeptRequest | None = None
    outcomes: tuple[Outcome, ...] = ()
    resolves: int | None = None
    raw_compressed: bytes = b""
    imported: bool = False
    trial: bool = False


class AppendStatus(enum.Enum):
    """How an entry relates to what was committed before."""

    NEW = "new"
    REPLAYED = "replayed"  # the same idempotency key and content, or a quarantined item that was resolved before
    CONFLICT = "conflict"  # the same idempotency key with other content


@value_class
class Appended:
    """The answer to an entry.

    `duplicates` are the indexes of the items whose key was known before, in ascending order; every other item has
    become what the entry proposed. `receipt` is the number of the receipt, 0 if there is none. When an idempotency key
    is replayed, `outcomes` and `receipt` are those of the first request; of very many items only the verdicts are
    remembered, and the ids in `outcomes` are empty.
    """

    status: AppendStatus
    duplicates: tuple[int, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    receipt: int = attrs.field(default=0, eq=False)

    def applied_to(self, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """Return what became of the entry's items, given what it proposed for each.

        Duplicates have DUPLICATE as their verdict. A replay has the outcomes of the first request, which had the same
        content, so that ids and faults that are not remembered are those of the proposed ones.
        """
        if self.status is AppendStatus.REPLAYED:
            if len(outcomes) != len(self.outcomes):
                return self.outcomes
            return tuple(
                [
                    first if first.message_id else attrs.evolve(proposed, verdict=first.verdict)
                    for first, proposed in zip(self.outcomes, outcomes, strict=True)
                ]
            )
        if not self.duplicates:
            return outcomes
        final = list(outcomes)
        for index in self.duplicates:
            final[index] = attrs.evolve(final[index], verdict=Verdict.DUPLICATE)
        return tuple(final)


@value_class
class Queue:
    """How many bytes of entries wait to be on disk, about, and at how many a new one is not accepted."""

    bytes: int
    limit: int


class Storage(Protocol):
    """An append-only log. Every engine passes the same checks (gateway/testing/engine/suite.py)."""

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk, fsync included. Raises StorageUnavailable if it cannot be stored."""
        ...

    @property
    def healthy(self) -> bool:
        """Whether an append can be expected to succeed."""
        ...

    @property
    def queue(self) -> Queue:
        """What was accepted and is not on disk yet."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then release the file."""
        ...


class SubmittingStorage(Storage, Protocol):
    """A Storage whose append has two steps, for a caller that does not want a task for each entry."""

    def submit(self, entry: Entry) -> "asyncio.Future[Appended]":
        """Accept an entry, and return a future of what `append` returns or raises.

        Raises StorageUnavailable at once if the entry cannot be accepted.
        """
        ...


class Broken(StorageUnavailable):
    """Memory and disk may differ: nothing may be acknowledged until the engine is reopened."""


class Engine(Protocol):
    """A store that commits whole groups. Its caller never makes two calls at the same time."""

    async def commit(self, entries: Sequence[Entry]) -> list[Appended]:
        """Return one answer per entry once all are on disk; after an exception none of them is.

        Raises Broken if the engine must be reopened, another StorageUnavailable if the next commit may succeed (a full
        disk), and anything else if an entry is at fault. An empty group is written too: it is a probe.
        """
        ...

    async def reopen(self) -> None:
        """Start again from what is really on disk. Raises Broken if that fails too."""
        ...

    async def close(self) -> None:
        """Release the file."""
        ...
