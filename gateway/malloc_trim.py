"""Gives memory back to the system once a burst of work is over. Linux with glibc; elsewhere it does nothing.

A burst's bodies and lines leave holes in the C heap, which glibc keeps for the next one: after a million events in
batches 40 MiB of the process's memory were such holes, and stayed.
"""

import ctypes
from collections.abc import Callable

BURST = 1 << 20  # bytes taken in; less leaves nothing that is worth the looking


def _trimmer() -> Callable[[], None]:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: None) if trim is None else (lambda: trim(0))


class IdleTrimmer:
    """What a process has taken in, counted by its connections, and given back by whoever calls `look` at intervals.

    Giving back costs 3 to 12 ms: only once a burst, and not before a whole interval has passed in which nothing came.
    """

    def __init__(self, trim: Callable[[], None] | None = None) -> None:
        self.bytes_received = 0
        self._trim = trim or _trimmer()
        self._seen = self._given_back = 0

    def tick(self) -> None:
        """Give back what a burst took that is over."""
        if self.bytes_received == self._seen and self.bytes_received - self._given_back >= BURST:
            self._given_back = self.bytes_received
            self._trim()
        self._seen = self.bytes_received
