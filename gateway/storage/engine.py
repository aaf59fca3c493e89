"""What group commit asks of an engine: the Engine protocol, and how an engine says that it cannot. No engine here."""

from collections.abc import Sequence
from typing import Protocol

from gateway.outcome import StorageUnavailable
from gateway.storage.base import Appended, Entry


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
