"""What the pipeline asks of a store: values and the Storage protocol. No engine here."""

import enum
from typing import Protocol

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
    """One item that is answered 2xx but is not fit to be an event, with all that is needed to look at it later.

    `faults` and `payload` are JSON; `payload` is the item as it came, with credentials blanked.
    """

    message_id: str
    faults: bytes
    payload: bytes


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
    """One submission to append: all of it is committed, or none."""

    project: str
    dialect: str
    route: str
    received_at: int
    rows: tuple[Row, ...] = ()
    held: tuple[Held, ...] = ()
    blobs: tuple[Blob, ...] = ()
    claim: Claim | None = None


class Standing(enum.Enum):
    """How an entry stands to what was committed before."""

    FRESH = "fresh"
    REPLAY = "replay"
    CONFLICT = "conflict"


@record
class Appended:
    """The answer to an entry: per row whether it was seen before; for a replay, the claim's first memory."""

    standing: Standing
    seen: tuple[bool, ...] = ()
    memory: bytes = b""


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
