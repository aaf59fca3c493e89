"""Small chunks become one: what the log then has, and when it is left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.storage.contract import EventRow
from gateway.storage.read import export
from gateway.storage.sqlite.log.chunks import CHUNK_BYTES, SMALL_BYTES
from gateway.storage.sqlite.log.merge import MAX_AGE
from gateway.storage.sqlite.read import log, pages
from gateway.testing.engine.given.entries import body, entry, key
from tests.kit.log_reading import reading
from tests.storage.stores import Clock, opened, query, stored

KIB = 1024
FULL = CHUNK_BYTES // KIB
LASTS = "SELECT last FROM log ORDER BY last"


def of_size(number: int, size: int = KIB) -> EventRow:
    """A row whose line has so many bytes."""
    return EventRow(body(str(number).rjust(size - len(body("")))), key(number))


async def fill(path: Path, start: int, end: int) -> None:
    """Append rows of one KiB each, one with each commit."""
    async with opened(path) as (storage, _):
        for number in range(start, end):
            await storage.append(entry(of_size(number)))


async def test_small_chunks_become_one_once_they_are_as_large_as_a_chunk(tmp_path: Path) -> None:
    await fill(tmp_path, 1, FULL + 3)

    assert query(tmp_path, LASTS) == [(FULL,), (FULL + 1,), (FULL + 2,)]
    rows = [of_size(number) for number in range(1, FULL + 3)]
    assert query(tmp_path, "SELECT position, key, body, typeof(body) FROM events") == [
        (position, row.key, row.body.decode(), "text") for position, row in enumerate(rows, 1)
    ]
    assert stored(tmp_path) == [row.body for row in rows]


async def test_a_log_of_small_commits_takes_little_more_than_its_lines(tmp_path: Path) -> None:
    rows = [[of_size(2 * number, 1400), of_size(2 * number + 1, 1400)] for number in range(300)]
    async with opened(tmp_path) as (storage, _):
        for pair in rows:
            await storage.append(entry(*pair))

    assert stored(tmp_path) == [row.body for pair in rows for row in pair]
    assert (tmp_path / "events.db").stat().st_size < 1.2 * 600 * 1400 + CHUNK_BYTES


@pytest.mark.parametrize("max_memtable_keys", [1, 50, 100_000])
async def test_the_keys_of_merged_chunks_are_known_after_a_start(tmp_path: Path, max_memtable_keys: int) -> None:
    async with opened(tmp_path, max_memtable_keys=max_memtable_keys) as (storage, _):
        for number in range(FULL + 1):
            await storage.append(entry(of_size(number)))
    async with opened(tmp_path, max_memtable_keys=max_memtable_keys) as (storage, _):
        again = await storage.append(entry(*[of_size(number) for number in range(FULL + 2)]))

    assert again.duplicates == tuple(range(FULL + 1))


async def test_a_large_chunk_ends_the_small_ones_before_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        for few in (3, SMALL_BYTES // KIB):  # the first three are not worth it
            for number in range(few):
                await storage.append(entry(of_size(few * 1000 + number)))
            await storage.append(entry(of_size(few, SMALL_BYTES)))

    assert query(tmp_path, LASTS) == [(1,), (2,), (3,), (4,), (36,), (37,)]


async def test_events_that_came_long_after_each_other_are_not_merged(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path, clock=clock) as (storage, _):
        for number in range(FULL):
            await storage.append(entry(of_size(number)))
            clock.now += MAX_AGE / 2 + 1

    assert query(tmp_path, LASTS) == [(position,) for position in range(1, FULL + 1)]


async def test_what_was_changed_by_hand_stays_changed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        for number in range(1, FULL + 1):
            await storage.append(entry(of_size(number)))
            if number == 5:
                with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as file:
                    file.execute("UPDATE log SET lines = replace(lines, '\"p\"', '\"q\"') WHERE last = 4")

    assert query(tmp_path, LASTS) == [(FULL,)]
    assert query(tmp_path, "SELECT position FROM events WHERE json_extract(body, '$.project') = 'q'") == [(4,)]


async def test_chunks_with_a_gap_between_them_stay_as_they_are(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        for number in range(1, FULL + 1):
            await storage.append(entry(of_size(number)))
            if number == 5:
                with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as file:
                    file.execute("DELETE FROM log WHERE last = 4")

    expected = [(position,) for position in range(1, FULL + 1) if position != 4]
    assert query(tmp_path, LASTS) == expected
    assert query(tmp_path, "SELECT position FROM events") == expected


async def test_a_reader_goes_on_in_the_middle_of_a_merged_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_ROWS", 1)
    await fill(tmp_path, 0, 1)
    async with opened(tmp_path) as (storage, _):
        for number in range(1, FULL):
            await storage.append(entry(of_size(number)))
        async with reading(tmp_path) as reader:
            events = export(reader)
            read = [event for _ in range(10) for event in (await anext(events)).events]
            await storage.append(entry(of_size(FULL)))
            read += [event async for page in events for event in page.events]

    assert query(tmp_path, LASTS) == [(1,), (FULL + 1,)]
    assert read == [(number + 1, of_size(number).body) for number in range(FULL + 1)]


async def test_a_count_in_ranges_counts_each_event_of_a_merged_chunk_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "COUNT_PAGE", 7)
    await fill(tmp_path, 0, 2 * FULL + 3)

    async with reading(tmp_path) as reader:
        assert await reader.count() == 2 * FULL + 3
