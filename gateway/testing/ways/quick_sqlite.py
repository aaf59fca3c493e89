"""SQLite for cases: its stores lie in memory where the machine has a folder for that. Nothing here is about the disk.

A case waits for a commit with each request, and on a disk that is most of the time.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import attrs

from gateway.testing.engine.under_test import EngineUnderTest, sqlite
from gateway.testing.temporary import temporary

MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of its own is made in it)


def quick_sqlite() -> EngineUnderTest:
    """Return the engine that comes with the gateway."""
    return attrs.evolve(sqlite(), empty=_empty)


@contextlib.contextmanager
def _empty() -> Iterator[str]:
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with temporary(place) as folder:
        yield f"sqlite:{folder / 'data'}"
