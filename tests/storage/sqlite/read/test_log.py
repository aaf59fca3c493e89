"""SQLite's readers: their pages, what they read of a file with gaps, and what they say of one that is no log."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gateway.datadir import DataDir, DataDirError, find
from gateway.storage.contract import EventRow, QuarantinedItem
from gateway.storage.read import EventFilter, Page, export
from gateway.storage.sqlite.read import log, pages
from gateway.storage.sqlite.read.log import SqliteLogReader
from gateway.storage.sqlite.read.reader import Reader
from gateway.testing.engine.given.entries import body, entry, row
from tests.kit.log_reading import reading
from tests.storage.stores import opened, stored


async def fill(path: Path, count: int) -> None:
    async with opened(path) as (storage, _):
        await storage.append(entry(*[EventRow(body(number, "pq"[number % 2])) for number in range(count)]))


async def test_positions_are_successive_integers(tmp_path: Path) -> None:
    await fill(tmp_path, 2001)
    everything = [(number + 1, body(number, "pq"[number % 2])) for number in range(2001)]
    async with reading(tmp_path) as reader:
        for where, after, expected in (
            (EventFilter(), None, everything),
            (EventFilter(), 1999, everything[1999:]),
            (EventFilter(project="q"), 0, everything[1::2]),
            (EventFilter(project="q"), 1000, everything[1001::2]),
            (EventFilter(project="none"), 0, []),
        ):
            found = [event async for page in export(reader, after, where) for event in page.events]
            assert found == expected
        assert (await reader.newest(), reader.parse_position("2001")) == (2001, 2001)


async def test_counting_goes_range_by_range_and_skips_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "COUNT_PAGE", 10)
    async with opened(tmp_path) as (storage, _):
        for number in range(19):
            await storage.append(
                entry(*[EventRow(body(each, "pq"[each % 2])) for each in range(5 * number, 5 * number + 5)])
            )
    connection = sqlite3.connect(tmp_path / "events.db")
    with connection:
        connection.execute("DELETE FROM log WHERE last BETWEEN 1 AND 15 OR last BETWEEN 40 AND 49")
    connection.close()

    async with reading(tmp_path) as reader:
        counts = (await reader.count(), await reader.count(EventFilter(project="p")), len(stored(tmp_path)))
        assert counts == (70, 35, 70)
        assert [position for position, _ in await reader.at(range(1, 96))] == [*range(16, 36), *range(46, 96)]
        assert await reader.page_back(0) == Page([], b"", 0, False)
        assert await reader.page_back(15) == Page([], b"", 15, False)
        back = await reader.page_back(42)
        assert (list(back.positions), back.cursor) == ([*range(16, 36)], 15)


async def test_an_empty_log_reads_as_nothing(tmp_path: Path) -> None:
    await fill(tmp_path, 0)
    async with reading(tmp_path) as reader:
        assert (stored(tmp_path), await reader.count(), await reader.newest()) == ([], 0, 0)
    with Reader(find(tmp_path)) as tables:
        assert list(tables.quarantine()) == []


async def test_large_bodies_make_short_pages(tmp_path: Path) -> None:
    large = [EventRow(body(str(number) * 1_000_000)) for number in range(10)]
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(*large))
    async with reading(tmp_path) as reader:
        first, last = await reader.page(), await reader.page_back()

        assert (list(first.positions), first.cursor, first.more) == ([1, 2, 3, 4, 5], 5, True)
        assert (list(last.positions), last.cursor, last.more) == ([6, 7, 8, 9, 10], 5, True)
    assert stored(tmp_path) == [each.body for each in large]


async def test_a_reader_that_stops_in_the_middle_holds_no_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_ROWS", 1)
    await fill(tmp_path, 600)
    await fill(tmp_path, 600)
    async with opened(tmp_path) as (storage, engine), reading(tmp_path) as reader:
        first = await reader.page()
        await storage.append(entry(row("later")))

        checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
        assert await engine.run(lambda connection: connection.execute(checkpoint).fetchone()) == (0, 0, 0)
        rest = [line async for page in export(reader, first.cursor) for line in page.lines]
        assert (first.more, len(first.lines), len(rest)) == (True, 600, 601)


async def test_quarantined_items_are_listed_by_column_and_project(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        first_receipt = (await storage.append(entry(quarantined=(QuarantinedItem("m1", b"[]", b'{"a":1}'),)))).receipt
        await storage.append(
            entry(project="q", quarantined=tuple(QuarantinedItem(f"n{number}", b"[]", b"{}") for number in range(600)))
        )

    with Reader(find(tmp_path)) as reader:
        first = {
            "id": 1,
            "message_id": "m1",
            "received_at": 1_700_000_000_000,
            "project": "p",
            "dialect": "toy",
            "route": "track",
            "verdict": "quarantined",
            "item": 0,
            "receipt": f"{first_receipt:x}",
            "faults": "[]",
            "payload": '{"a":1}',
        }
        assert list(reader.quarantine(project="p")) == [first]
        assert [item["message_id"] for item in reader.quarantine(after=1)] == [f"n{number}" for number in range(600)]


async def test_counters_have_project_dialect_and_verdict(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(row(1), row(1)))

    with Reader(find(tmp_path)) as reader:
        where = {"project": "p", "dialect": "toy"}
        assert reader.counters() == [
            {**where, "verdict": "duplicate", "count": 1},
            {**where, "verdict": "received", "count": 2},
            {**where, "verdict": "stored", "count": 1},
        ]


def test_a_directory_without_a_log_is_an_error_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataDirError) as refused:
        find(tmp_path)
    expected = f"{tmp_path} holds no events yet; is it the directory that `gateway serve --data` was given?"
    assert str(refused.value) == expected
    with pytest.raises(DataDirError, match="cannot read"):
        Reader(DataDir(tmp_path))
    with pytest.raises(DataDirError, match="cannot read"):
        asyncio.run(SqliteLogReader.open(DataDir(tmp_path)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "holds no events yet"), (b"not a database" * 100, "file is not a database")]
)
async def test_a_file_that_is_not_a_log_is_an_error_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "events.db").write_bytes(content)
    with pytest.raises(DataDirError, match=message):
        Reader(find(tmp_path))
    with pytest.raises(DataDirError, match=message):
        await SqliteLogReader.open(find(tmp_path))


async def test_a_newer_file_is_not_read(tmp_path: Path) -> None:
    await fill(tmp_path, 1)
    connection = sqlite3.connect(tmp_path / "events.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(DataDirError, match="written by a newer gateway"):
        Reader(find(tmp_path))
    with pytest.raises(DataDirError, match="written by a newer gateway"):
        await SqliteLogReader.open(find(tmp_path))


async def test_a_file_that_is_removed_while_it_is_read_is_an_error_in_one_line(tmp_path: Path) -> None:
    await fill(tmp_path, 1)
    async with reading(tmp_path) as reader:
        (tmp_path / "events.db").write_bytes(b"no database" * 1000)
        with pytest.raises(DataDirError, match=r"^cannot read .*/events\.db: "):
            await reader.page()
