"""Every key of the log is known, whatever happens to the log and its saved filters, and in whatever order."""

import random
import shutil
from pathlib import Path

import attrs
import pytest

from gateway.datadir import make
from gateway.storage.sqlite.dedupe.filter_file import FilterSave
from tests.storage.sqlite.logs import RECEIVED, WINDOW, Log, backed_up, files, settings
from tests.storage.stores import Clock


@attrs.frozen
class Stored:
    """The numbers that must be known, by generation, and all that ever were in this log."""

    current: frozenset[int] = frozenset()
    previous: frozenset[int] = frozenset()
    ever: frozenset[int] = frozenset()


STEPS = ["append"] * 8 + ["begin_save", "write_save", "end_save", "kill", "kill", "stop", "rotate"]
STEPS += ["save_at_once"] * 2 + ["back_up", "restore", "spoil"]


class History:
    """A log to which things happen, and what must be known of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.names = 0
        keep_events = self.chance.choice([0.0, 30.0])
        self.log = Log(make(self.path()), settings(self.clock, save_every=400, keep_events=keep_events))
        self.stored = Stored()
        self.backup: tuple[Path, Stored] | None = None
        self.save: FilterSave | None = None

    def path(self) -> Path:
        self.names += 1
        return self.folder / str(self.names)

    def append(self) -> None:
        """Append some new numbers and some of all that were ever stored."""
        self.names += 1
        start, ever = self.names * 1000, sorted(self.stored.ever)
        asked = frozenset(
            [*range(start, start + self.chance.randrange(90)), *self.chance.sample(ever, min(len(ever), 20))]
        )
        found = frozenset(self.log.append(sorted(asked), RECEIVED + self.names * 2000))
        must = self.stored.current | self.stored.previous
        assert (asked & must, found) == (found & must, found & self.stored.ever)
        self.stored = attrs.evolve(
            self.stored, current=self.stored.current | (asked - found), ever=self.stored.ever | asked
        )

    def rotate(self) -> None:
        self.clock.now += WINDOW
        self.log.writer.commit(())
        self.stored = attrs.evolve(self.stored, current=frozenset(), previous=self.stored.current)

    def begin_save(self) -> None:
        self.save = self.log.writer.begin_save()

    def write_save(self) -> None:
        if self.save is not None and self.save.saved is None:
            self.save.write()

    def end_save(self) -> None:
        if self.save is not None:
            self.log.writer.end_save(self.save)
            self.save = None

    def save_at_once(self) -> None:
        self.log.save()

    def kill(self) -> None:
        self.log, self.save = self.log.killed(self.path()), None

    def stop(self) -> None:
        self.log, self.save = self.log.stopped(), None

    def back_up(self) -> None:
        self.backup = self.path(), self.stored
        backed_up(self.log, self.backup[0])

    def restore(self) -> None:
        """Put the backup beside today's files of filters."""
        if self.backup is None:
            return
        self.log.writer.connection.close()
        restored = make(self.path())
        for source in (self.backup[0], *files(self.log.directory.path)):
            shutil.copy(source, restored.path)
        (restored.path / self.backup[0].name).rename(restored.events)
        self.log, self.save, self.stored = Log(restored, self.log.settings), None, self.backup[1]

    def spoil(self) -> None:
        """Change a byte of each file of filters."""
        for file in files(self.log.directory.path):
            content = bytearray(file.read_bytes())
            content[self.chance.randrange(len(content))] ^= 0xFF
            file.write_bytes(content)

    def end(self) -> None:
        """Nothing was forgotten that must be known."""
        self.kill()
        must = self.stored.current | self.stored.previous
        assert must - frozenset(self.log.append(must)) == frozenset()
        self.log.writer.connection.close()


@pytest.mark.parametrize("seed", range(8))
def test_keys_are_known_whatever_happens_in_whatever_order(tmp_path: Path, seed: int) -> None:
    history = History(tmp_path, seed)
    for step in history.chance.choices(STEPS, k=120):
        getattr(history, step)()
    history.end()
