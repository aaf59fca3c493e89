"""Saved filters: a clean stop saves them, and the next start uses them only at the same end of the same log."""

from collections.abc import Sequence
from pathlib import Path

from gateway.datadir import DataDir, make
from gateway.storage.contract import Entry, EventRow
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.dedupe import filter_file
from gateway.storage.sqlite.dedupe.bloom_filter import BloomFilter
from gateway.storage.sqlite.dedupe.filter_file import NAME
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_writer import LogSettings

SALT, POSITION = 7, 40
WORDS = [number << 20 | number for number in range(1, 200)]


def filters() -> list[BloomFilter]:
    current, previous = BloomFilter(bytearray(64)), BloomFilter(bytearray(32))
    current.add(WORDS)
    previous.add(WORDS[:9])
    return [current, previous]


def test_filters_come_back_once_as_they_were(tmp_path: Path) -> None:
    filter_file.save(tmp_path, SALT, POSITION, filters())
    assert filter_file.take(tmp_path, SALT, POSITION) == filters()
    assert filter_file.take(tmp_path, SALT, POSITION) is None
    assert list(tmp_path.iterdir()) == []


def test_filters_of_another_position_or_log_are_removed_and_not_used(tmp_path: Path) -> None:
    for salt, position in ((SALT, POSITION + 1), (SALT + 2, POSITION)):
        filter_file.save(tmp_path, SALT, POSITION, filters())
        assert filter_file.take(tmp_path, salt, position) is None
        assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_not_used(tmp_path: Path) -> None:
    filter_file.save(tmp_path, SALT, POSITION, filters())
    whole = (tmp_path / NAME).read_bytes()
    for damaged in (b"", whole[:-1], whole[:90] + b"\xff" + whole[91:], whole + b"\0"):
        (tmp_path / NAME).write_bytes(damaged)
        assert filter_file.take(tmp_path, SALT, POSITION) is None


async def append(directory: DataDir, numbers: Sequence[int], save_threshold: int) -> list[bool]:
    """Start, append events with these numbers as keys, and stop; return which were known before."""
    engine = await SqliteEngine.open(directory, LogSettings(max_memtable_keys=10))
    engine._log_writer.known_keys.save_threshold = save_threshold
    storage = GroupCommit(engine)
    rows = tuple(EventRow(b'{"number":%d}' % number, number.to_bytes(16, "big")) for number in numbers)
    appended = await storage.append(Entry("p", "d", "r", 1, rows))
    await storage.close()
    return [index in appended.duplicates for index in range(len(numbers))]


async def test_keys_from_before_a_stop_are_known_after_it_with_the_file_and_without(tmp_path: Path) -> None:
    directory = make(tmp_path / "data")
    file = directory.path / NAME
    assert await append(directory, range(100), save_threshold=1) == [False] * 100
    assert file.is_file()
    assert file.stat().st_mode & 0o777 == 0o600
    assert await append(directory, range(90, 110), save_threshold=1) == [True] * 10 + [False] * 10
    file.unlink()
    assert await append(directory, range(105, 115), save_threshold=10**9) == [True] * 5 + [False] * 5
    assert not file.exists()


async def test_a_file_from_before_the_last_events_is_not_used(tmp_path: Path) -> None:
    directory = make(tmp_path / "data")
    await append(directory, range(100), save_threshold=1)
    stale = (directory.path / NAME).read_bytes()
    await append(directory, range(100, 200), save_threshold=1)
    (directory.path / NAME).write_bytes(stale)
    assert await append(directory, range(150, 210), save_threshold=1) == [True] * 50 + [False] * 10
