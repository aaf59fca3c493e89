"""One change of an erasure, as a command asks it of the process that has the log open. Values only.

Each step is one short transaction, so that commits go on between two of them. Every step can be asked for twice.
"""

from typing import Protocol, runtime_checkable

from gateway.dialect.value_class import value_class


@value_class
class HeldChange:
    """A request of quarantined items, of which `first` is its number, loses its request and some items.

    `items` is what is stored of the others (see quarantined_items.py), `gone` are the numbers of those that go, and
    `messages` the hashes of their message ids.
    """

    first: int
    items: bytes
    gone: tuple[int, ...]
    messages: tuple[bytes, ...] = ()


@value_class
class ErasureStep:
    """What one transaction changes of a project; what is empty changes nothing.

    - `person`: kind, hash and time of an erasure that begins.
    - `messages`: hashes of message ids that must not come back.
    - `lines`: position, old line, new line. An empty new line removes the event, and counts it as erased.
    - `receipts`: number, new outcomes (compressed). `raws`: receipts whose kept request goes.
    - `claims`: digest of an idempotency key, new outcomes.
    - `held`: of the quarantine. `at` is the time that is kept of how its items ended.
    - `blobs`: files to remove unless an event after the position `scanned` names them; `done` are no longer pending.
    - `overwrite`: overwrite some free pages; `clean`: let go of them, and empty the write-ahead log.
    - `vacuum`: write the whole file anew; only where nobody waits.
    """

    project: str
    person: tuple[str, bytes, int] | None = None
    messages: tuple[bytes, ...] = ()
    lines: tuple[tuple[int, bytes, bytes], ...] = ()
    receipts: tuple[tuple[int, bytes], ...] = ()
    raws: tuple[int, ...] = ()
    claims: tuple[tuple[bytes, bytes], ...] = ()
    held: tuple[HeldChange, ...] = ()
    at: int = 0
    blobs: tuple[str, ...] = ()
    scanned: int = 0
    done: tuple[str, ...] = ()
    overwrite: bool = False
    clean: bool = False
    vacuum: bool = False


@value_class
class StepResult:
    """What a step did: how many events, receipts, kept requests, quarantined items and files it erased or changed.

    `mentions` are lines that were changed. `rest` is how many free pages are left to overwrite. `is_clean` says that
    the write-ahead log is empty: it is not while somebody reads.
    """

    events: int = 0
    mentions: int = 0
    receipts: int = 0
    raws: int = 0
    held: int = 0
    blobs: int = 0
    rest: int = 0
    is_clean: bool = False


@runtime_checkable
class ErasingStorage(Protocol):
    """What takes the steps: the log that this process has open, or the server that has."""

    async def erase(self, step: ErasureStep) -> StepResult:
        """Return once the step is on disk. Raises StorageUnavailable."""
        ...
