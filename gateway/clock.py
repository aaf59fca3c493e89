"""The wall clock. Everything else takes the time as an argument, so that tests need not patch it."""

import time


def now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
