"""The file of the filters: it comes back as it was saved, and any other file is neither used nor in the way."""

import os
import resource
import sqlite3
from pathlib import Path

import pytest

from gateway.storage.sqlite.dedupe import filter_file
from gateway.storage.sqlite.dedupe.bloom_filter import BloomFilter
from gateway.storage.sqlite.dedupe.filter_file import PIECE, UNFINISHED, FilterSave, SavedFilters

POSITION = 40
WORDS = [number << 20 | number for number in range(1, 200)]


def filters() -> list[BloomFilter]:
    current, previous = BloomFilter(bytearray(2 * PIECE)), BloomFilter(bytearray(32))
    current.add(WORDS)
    previous.add(WORDS[:9])
    return [current, previous]


def save(folder: Path) -> SavedFilters:
    begun = FilterSave(folder, POSITION, filters(), generation=0)
    begun.write()
    assert begun.saved is not None
    return begun.saved


def test_filters_come_back_as_they_were_at_every_start(tmp_path: Path) -> None:
    saved = save(tmp_path)
    file = tmp_path / saved.file

    assert (saved.position, saved.filters) == (POSITION, ((199, 2 * PIECE), (9, 32)))
    assert [filter_file.load(tmp_path, saved) for _ in range(2)] == [filters()] * 2
    assert (list(tmp_path.iterdir()), file.stat().st_mode & 0o777) == ([file], 0o600)


def test_the_database_names_one_file(connection: sqlite3.Connection) -> None:
    first, second = [SavedFilters(position=each, filters=((7, 64), (0, 32)), digest="ab") for each in (3, 4)]
    named = [SavedFilters.named(connection)]
    for each in (first, second):
        each.name(connection)
        named.append(SavedFilters.named(connection))

    assert named == [None, first, second]


def test_a_damaged_file_is_not_used(tmp_path: Path) -> None:
    saved = save(tmp_path)
    whole = (tmp_path / saved.file).read_bytes()
    other = whole[: PIECE + 9] + bytes([whole[PIECE + 9] ^ 1]) + whole[PIECE + 10 :]
    for damaged in (b"", whole[:PIECE], whole[:-1], whole + b"\0", other, bytes(len(whole))):
        (tmp_path / saved.file).write_bytes(damaged)
        assert filter_file.load(tmp_path, saved) is None


def test_something_else_in_the_place_of_the_file_does_not_stop_a_start(tmp_path: Path) -> None:
    saved = save(tmp_path)
    path = tmp_path / saved.file
    elsewhere = path.rename(tmp_path / "elsewhere")
    assert filter_file.load(tmp_path, saved) is None
    path.symlink_to(elsewhere)
    assert filter_file.load(tmp_path, saved) is None
    path.unlink()
    path.mkdir()
    assert filter_file.load(tmp_path, saved) is None
    path.rmdir()
    os.mkfifo(path)
    assert filter_file.load(tmp_path, saved) is None


def test_an_unfinished_file_of_a_killed_process_is_replaced_and_a_link_in_its_place_is_not_followed(
    tmp_path: Path,
) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"kept")
    (tmp_path / UNFINISHED).symlink_to(precious)
    saved = save(tmp_path)
    (tmp_path / UNFINISHED).write_bytes(b"half")
    assert save(tmp_path) == saved

    assert precious.read_bytes() == b"kept"
    assert sorted(tmp_path.iterdir()) == [precious, tmp_path / saved.file]


def test_a_file_that_cannot_be_written_whole_leaves_nothing(tmp_path: Path) -> None:
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PIECE + 1000, usual[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)

    assert list(tmp_path.iterdir()) == []


def test_a_save_leaves_room_for_events_on_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    begun = FilterSave(tmp_path, POSITION, filters(), generation=0, keep_free=1 << 62)
    with pytest.raises(OSError, match="No space left on device"):
        begun.write()

    assert list(tmp_path.iterdir()) == []


def test_all_files_but_the_named_one_are_swept(tmp_path: Path) -> None:
    saved = save(tmp_path)
    for name in ("seen.filter", UNFINISHED, "seen.filter-0123", "seen.db"):
        (tmp_path / name).write_bytes(b"")
    filter_file.sweep(tmp_path, saved)
    assert {path.name for path in tmp_path.iterdir()} == {saved.file, "seen.db"}
    filter_file.sweep(tmp_path, None)
    assert {path.name for path in tmp_path.iterdir()} == {"seen.db"}
