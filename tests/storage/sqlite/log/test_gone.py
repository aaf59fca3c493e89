"""Events that are gone, one by one: an empty line in a chunk, which no reader gives and no position is lost for."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.datadir import find
from gateway.storage.contract import EventRow
from gateway.storage.read import EVERYTHING, EventFilter, export
from gateway.storage.sqlite.log.chunks import has_gone
from gateway.storage.sqlite.log.compression import register
from gateway.storage.sqlite.log.rewriting import GONE, rewrite_lines
from gateway.storage.sqlite.read.log import SqliteLogReader
from gateway.storage.sqlite.read.raw_requests import rewrite
from gateway.storage.sqlite.read.reader import Reader
from gateway.testing.engine.given.entries import body, entry, key, row
from tests.storage.stores import opened, query

LARGE = "x" * 3000


def large(number: int) -> EventRow:
    return EventRow(body(f"{number}{LARGE}"), key(number))


def remove(directory: Path, *positions: int) -> list[int]:
    """Remove events, whatever their lines are."""
    with (
        closing(sqlite3.connect(directory / "events.db", isolation_level=None)) as file,
        Reader(find(directory)) as reader,
    ):
        lines = dict(reader.events_at(positions))
        return rewrite_lines(file, {each: (line, GONE) for each, line in lines.items()}, compress=False)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(b"a", None), (b"a\nb", None), (b"", 1), (b"\nb", 1), (b"a\n", 1), (b"a\n\nb", 1), (b"\n\n", 1)],
)
def test_a_chunk_says_that_a_line_is_gone(lines: bytes, expected: int | None) -> None:
    assert has_gone(lines) == expected


@pytest.mark.parametrize("gone", [[1], [5], [2, 3], [1, 2, 3, 4, 5], [1, 5, 6, 7, 40], list(range(1, 61))])
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
async def test_no_reader_gives_what_is_gone_and_the_others_are_where_they_were(
    tmp_path: Path, gone: list[int], compress: bool
) -> None:
    async with opened(tmp_path, compress=compress) as (storage, _):
        await storage.append(entry(*[row(number) for number in range(1, 6)]))
        await storage.append(entry(*[large(number) for number in range(6, 61)]))
    before = {number: body(number if number < 6 else f"{number}{LARGE}") for number in range(1, 61)}
    expected = [(position, line) for position, line in before.items() if position not in gone]

    assert remove(tmp_path, *gone) == sorted(gone)
    assert remove(tmp_path, *gone) == []

    reader = await SqliteLogReader.open(find(tmp_path))
    try:
        for where in (EVERYTHING, EventFilter(project="p")):
            assert [each async for page in export(reader, where=where) for each in page.events] == expected
            assert await reader.count(where) == len(expected)
            assert [*(await reader.page_back(where=where)).events] == expected
        assert [*(await reader.page(3)).events] == [each for each in expected if each[0] > 3]
        assert await reader.at(range(1, 62)) == expected
        assert [each for each in range(1, 62) if await reader.is_gone(each)] == gone
        assert await reader.newest() == 60
    finally:
        await reader.close()
    with closing(sqlite3.connect(tmp_path / "events.db")) as file:
        register(file)
        shown = file.execute("SELECT position, CAST(body AS BLOB), key FROM events ORDER BY position").fetchall()
    assert [(position, line) for position, line, _ in shown] == expected
    assert all(key is not None for *_, key in shown)


async def test_positions_go_on_and_retries_stay_known_where_all_of_the_log_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(row("1"), row("2")))
    assert remove(tmp_path, 1, 2) == [1, 2]
    async with opened(tmp_path) as (storage, _):
        assert (await storage.append(entry(row("1"), row("2")))).duplicates == (0, 1)
        await storage.append(entry(row("3")))
    assert query(tmp_path, "SELECT position FROM events") == [(3,)]


async def test_small_chunks_with_gaps_are_merged_and_an_event_beside_a_gap_is_rewritten(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        for number in range(1, 30):
            await storage.append(entry(large(number)))
            if number == 20:
                assert remove(tmp_path, 2, 3, 20) == [2, 3, 20]
        for number in range(30, 60):
            await storage.append(entry(large(number)))
    assert query(tmp_path, "SELECT gone, length(keys) > 16 * 40 FROM log LIMIT 1") == [(1, 1)]
    old, new = body(f"4{LARGE}"), body("4")
    assert rewrite(tmp_path / "events.db", [(4, old, new), (3, old, new)]) == 1
