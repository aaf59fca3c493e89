"""Gives memory back to the system once a burst of work is over. Linux with glibc; elsewhere it does nothing.

A burst's bodies and lines leave holes in the C heap, which glibc keeps for the next burst: after a million events in
batches, 40 MiB of the process's memory were such holes, and stayed.
"""

import ctypes
from collections.abc import Callable

BURST = 1 << 20  # bytes received; what less of them leaves behind is not worth the time


def _trimmer() -> Callable[[], None]:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: None) if trim is None else (lambda: trim(0))


class IdleTrimmer:
    """Calls `malloc_trim(0)` once a burst (BURST bytes or more) has been over for a whole interval.

    Connections add to `bytes_received`; whoever owns the trimmer calls `tick` at intervals. A trim takes 3 to 12 ms.
    """

    def __init__(self, trim: Callable[[], None] | None = None) -> None:
        self.bytes_received = 0
        self._trim = trim or _trimmer()
        self._at_last_tick = self._at_last_trim = 0

    def tick(self) -> None:
        """Trim if nothing was received since the last tick, and a burst since the last trim."""
        is_idle = self.bytes_received == self._at_last_tick
        if is_idle and self.bytes_received - self._at_last_trim >= BURST:
            self._at_last_trim = self.bytes_received
            self._trim()
        self._at_last_tick = self.bytes_received
