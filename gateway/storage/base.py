"""What the pipeline asks of a store: values and the Storage protocol. No engine here."""

import asyncio
import enum
from typing import Protocol

import attrs

from gateway.record import record


@record
class Row:
    """One event to append: its canonical JSON line, and the digest of the client's id for it in its scope.

    `key` is None where the id is ours and so was never seen before.
    """

    body: bytes
    key: bytes | None = None


@record
class Held:
    """One item that is answered 2xx and yet is no event: not fit to be one, or filtered (`verdict`).

    `faults` and `payload` are JSON; `payload` is the item as it came, with credentials blanked, and `index` its place
    in its request. `key` is as a Row's: an item whose id is known, be it as an event's or as a held one's, is not held
    again.
    """

    message_id: str
    faults: bytes
    payload: bytes
    key: bytes | None = None
    index: int = 0
    verdict: str = "quarantined"


@record
class Raw:
    """A request as it came, but for its credentials, which are blanked: enough to run it through its dialect again.

    `query` and `headers` are JSON objects; `body` is inflated. `site` is the public site that opened the request.
    """

    method: str
    path: str
    query: bytes
    headers: bytes
    body: bytes
    client_ip: str | None = None
    site: str | None = None


@record
class Blob:
    """A file that came with an event, named by the SHA-256 of its bytes (lower-case hex)."""

    name: str
    content: bytes


@record
class Claim:
    """A request's Idempotency-Key in its scope, the digest of its content, and the outcomes to answer again."""

    digest: bytes
    fingerprint: bytes
    memory: bytes


@record
class Entry:
    """One submission to append: all of it is committed, or none.

    `raw` is the request that the held items came in. `account` says what became of each item where not every one is a
    row, as JSON: a list of [verdict, message id, faults] in the items' order. `settles` is the number of a held item
    that ends with this entry: replayed, where it brings the item's row, or dropped; where it has ended before, the
    answer is REPLAY and nothing is written. `packed` is the request once more, compressed, to be kept for a while.
    """

    project: str
    dialect: str
    route: str
    received_at: int
    rows: tuple[Row, ...] = ()
    held: tuple[Held, ...] = ()
    blobs: tuple[Blob, ...] = ()
    claim: Claim | None = None
    raw: Raw | None = None
    account: bytes = b""
    settles: int | None = None
    packed: bytes = b""


class Standing(enum.Enum):
    """How an entry stands to what was committed before."""

    FRESH = "fresh"
    REPLAY = "replay"
    CONFLICT = "conflict"


@record
class Appended:
    """The answer to an entry: per row, then per held item, whether it was seen before; and the number of its receipt.

    For a replay, the claim's first memory and the first receipt.
    """

    standing: Standing
    seen: tuple[bool, ...] = ()
    memory: bytes = b""
    receipt: int = attrs.field(default=0, eq=False)


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


class Submitting(Storage, Protocol):
    """A Storage whose append is two steps: who does something else meanwhile needs no task an entry."""

    def submit(self, entry: Entry) -> "asyncio.Future[Appended]":
        """Take the entry on, and return what `append` would once it is known. Raises what append raises at once."""
        ...
