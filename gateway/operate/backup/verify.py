"""Reads a whole backup, and tells what it has."""

from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from gateway.operate.backup.reader import BackupReader


@attrs.frozen(kw_only=True)
class Contents:
    """What a backup has: the number of events, receipts and files, and of the rows of each table; its size and digest.

    `made_at` is a time as text, `source` the store that it was made of.
    """

    counts: Mapping[str, int]
    bytes: int
    digest: str
    made_at: str
    source: str
    engine: str
    gateway: str


def verify(path: Path, count: Callable[[int, float], object]) -> Contents:
    """Read all of a backup and check it. `count` is told how many events were read, and which share of the file.

    Raises BackupError and OSError.
    """
    with BackupReader.opened(path) as reader:
        for _ in reader.pieces():
            count(reader.counts["events"], reader.read / reader.size)
        return contents_of(reader)


def contents_of(reader: BackupReader) -> Contents:
    """Return what a backup has that was read to its end."""
    told = {name: str(reader.head.get(name)) for name in ("made_at", "source", "engine", "gateway")}
    counts = {name: number for name, number in sorted(reader.counts.items()) if number}
    return Contents(counts=counts, bytes=reader.read, digest=reader.end_digest, **told)
