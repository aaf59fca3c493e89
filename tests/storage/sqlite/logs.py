"""The log writer of a directory without a thread of its own, which can be killed and started again."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import attrs

from gateway.datadir import DataDir, make
from gateway.storage.contract import Entry, EventRow
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.dedupe.filter_file import NAME
from gateway.storage.sqlite.log_settings import LogSettings
from gateway.storage.sqlite.log_writer import LogWriter
from gateway.testing.engine.given.entries import body, entry
from tests.storage.stores import Clock

NEVER = 10**9
WINDOW = 1000.0
RECEIVED = 1_700_000_000_000


def settings(clock: Clock, save_every: int = NEVER, keep_events: float = 0.0) -> LogSettings:
    """Small filters and memtables: both overflow all the time."""
    return LogSettings(
        window=WINDOW,
        clock=clock,
        keep_events=keep_events,
        max_memtable_keys=20,
        filter_bytes=64,
        save_every=save_every,
    )


@attrs.define
class Log:
    """The log writer of a directory, without a thread of its own."""

    directory: DataDir
    settings: LogSettings
    writer: LogWriter = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.directory.events.touch()
        connection = sqlite_file.connect(self.directory.events, "rw")
        self.writer = LogWriter.load(connection, self.directory, self.settings)

    def append(self, numbers: Iterable[int], received_at: int = RECEIVED) -> list[int]:
        """Append an event for each number; return the numbers whose key was known."""
        asked = list(numbers)
        appended = self.writer.commit([at(received_at, *asked)])[0]
        return [asked[index] for index in appended.duplicates]

    def save(self) -> None:
        """Save the filters beside the log, as the engine does."""
        save = self.writer.begin_save()
        save.write()
        self.writer.end_save(save)

    def killed(self, path: Path) -> "Log":
        """Start on a copy of what is on disk now, which is what a kill leaves."""
        shutil.copytree(self.directory.path, path, ignore=shutil.ignore_patterns("*-shm"))
        self.writer.connection.close()
        return Log(make(path), self.settings)

    def stopped(self) -> "Log":
        """Stop and start again."""
        self.writer.close()
        self.writer.connection.close()
        return Log(self.directory, self.settings)

    @property
    def from_file(self) -> bool:
        """Whether the last start took the filters from a file."""
        return self.writer.known_keys._saved_at > 0


def row(number: int) -> EventRow:
    """A row whose key is a digest, as in use: of keys that are alike, filters say "maybe" without having them."""
    return EventRow(body(number), hashlib.blake2b(b"%d" % number, digest_size=16).digest())


def at(received_at: int, *numbers: int) -> Entry:
    return attrs.evolve(entry(*[row(number) for number in numbers]), received_at=received_at)


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"{NAME}*"))


def backed_up(log: Log, path: Path) -> None:
    log.writer.connection.execute("VACUUM INTO ?", [str(path)])
