"""The index from a time to positions: what is written with which commit, what a seek skips, an upgraded file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from gateway.datadir import find
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.read import EventFilter, Page, export
from gateway.storage.sqlite.log.times import ANY_TIME, sure_until
from gateway.storage.sqlite.read import pages
from gateway.storage.sqlite.tables import VERSION
from gateway.testing.engine.given.entries import entry, row
from gateway.testing.engine.given.lines import MINUTE, START, line
from tests.kit.log_reading import reading, stored_events
from tests.storage.stores import opened, query, without_version_8

FULL = START // MINUTE * MINUTE
"""The beginning of the minute of START."""


def at(millis: int, count: int = 1) -> Entry:
    """An entry with events that were received at a time."""
    return attrs.evolve(entry(*[EventRow(line(at=millis))] * count), received_at=millis)


def spans(path: Path) -> list[tuple[object, ...]]:
    return query(path, "SELECT first, since, before FROM log_times ORDER BY first")


async def positions(path: Path, where: EventFilter) -> list[object]:
    return [position for position, _ in stored_events(path, where)]


async def test_a_row_is_written_only_when_the_minute_changes(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        for millis in (0, 1, MINUTE - 1, MINUTE, MINUTE + 1, 5 * MINUTE):
            await storage.append(at(FULL + millis, 2))
    async with opened(tmp_path) as (storage, _):
        await storage.append(at(FULL + 5 * MINUTE + 1))
        await storage.append(at(FULL + 6 * MINUTE))

    assert spans(tmp_path) == [
        (1, FULL, FULL + MINUTE),
        (7, FULL + MINUTE, FULL + 2 * MINUTE),
        (11, FULL + 5 * MINUTE, FULL + 6 * MINUTE),
        (14, FULL + 6 * MINUTE, FULL + 7 * MINUTE),
    ]


async def test_it_is_known_up_to_where_all_events_have_a_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        for minute in (0, 1, 5):
            await storage.append(at(FULL + minute * MINUTE, 2))
    asked = {
        (1, FULL, FULL + 2 * MINUTE): 4,
        (4, FULL + MINUTE, None): ANY_TIME - 1,
        (2, None, FULL + MINUTE): 2,
        (1, FULL + 1, None): 0,
        (5, FULL, FULL + 5 * MINUTE): 4,
        (1, None, None): ANY_TIME - 1,
    }
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        assert {question: sure_until(connection, *question) for question in asked} == asked


async def test_a_clock_that_is_set_back_and_an_old_item_begin_a_span_each(tmp_path: Path) -> None:
    later = FULL + 60 * MINUTE
    async with opened(tmp_path) as (storage, _):
        held = (QuarantinedItem("m", b"[]", b"{}"), QuarantinedItem("n", b"[]", b"{}"))
        await storage.append(attrs.evolve(entry(quarantined=held), received_at=FULL))
        await storage.append(at(later))
        await storage.append(at(FULL))
        await storage.append(at(later))
        replayed = EventRow(line(at=FULL))
        await storage.append(Entry("p", "toy", "track", later, (replayed,), resolves=1))
        await storage.append(Entry("p", "toy", "track", later, (row("without a time"),), resolves=2))
        await storage.append(at(later))

    assert [span for span in spans(tmp_path) if span[0] != 0] == [
        (1, later, later + MINUTE),
        (2, FULL, FULL + MINUTE),
        (3, later, later + MINUTE),
        (4, FULL, FULL + MINUTE),
        (5, 0, ANY_TIME),
        (6, later, later + MINUTE),
    ]


async def test_a_commit_that_is_rolled_back_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, engine):
        await storage.append(at(FULL))
        poison = attrs.evolve(entry(EventRow(b"{}\n{}")), received_at=FULL + MINUTE)
        with pytest.raises(ValueError, match="not one line"):
            await storage.append(poison)
        await engine.run(
            lambda file: file.execute(
                "CREATE TEMP TRIGGER fails BEFORE INSERT ON receipts BEGIN SELECT raise(ABORT, 'no'); END"
            )
        )
        with pytest.raises(sqlite3.Error):
            await storage.append(at(FULL + MINUTE))
        await engine.run(lambda file: file.execute("DROP TRIGGER fails"))
        await storage.append(at(FULL + 1))
        await storage.append(at(FULL + MINUTE))

    assert spans(tmp_path) == [(1, FULL, FULL + MINUTE), (3, FULL + MINUTE, FULL + 2 * MINUTE)]


async def test_a_time_is_found_without_reading_what_is_before_it_or_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_ROWS", 5)
    async with opened(tmp_path) as (storage, _):
        for minute in range(200):
            await storage.append(at(FULL + minute * MINUTE))
    where = EventFilter(since=FULL + 100 * MINUTE, before=FULL + 104 * MINUTE)
    async with reading(tmp_path) as reader:
        forward = [(list(page.positions), page.cursor, page.more) async for page in export(reader, None, where)]
        assert forward == [([101, 102, 103, 104], 105, True), ([], 200, False)]
        back = await reader.page_back(None, where)
        assert (list(back.positions), back.cursor, back.more) == ([101, 102, 103, 104], 99, True)
        assert await reader.page_back(back.cursor, where) == Page([], b"", 0, False)
        assert await reader.page(300, where) == Page([], b"", 300, False)
        later = EventFilter(since=FULL + 500 * MINUTE)
        assert [await reader.page(None, later), await reader.page_back(None, later)] == [
            Page([], b"", 200, False),
            Page([], b"", 0, False),
        ]


async def test_spans_go_with_their_events(tmp_path: Path) -> None:
    async with opened(tmp_path, keep_events=600.0, max_memtable_keys=1) as (storage, _):
        for minute in range(40):
            await storage.append(attrs.evolve(entry(row(minute)), received_at=FULL + minute * MINUTE))
        for _ in range(3):
            await storage.append(attrs.evolve(entry(row("last")), received_at=FULL + 40 * MINUTE))

    [(first,)] = query(tmp_path, "SELECT min(position) FROM events")
    assert (first, [span[0] for span in spans(tmp_path)]) == (31, [*range(31, 42)])


async def test_positions_that_are_given_again_have_their_new_times(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        for minute in range(5):
            await storage.append(at(FULL + minute * MINUTE))
    with closing(sqlite3.connect(tmp_path / "events.db")) as file, file:
        file.execute("DELETE FROM log WHERE last > 2")
    async with opened(tmp_path) as (storage, _):
        for minute in range(100, 103):
            await storage.append(at(FULL + minute * MINUTE))

    assert [span[0] for span in spans(tmp_path)] == [1, 2, 3, 4, 5]
    assert await positions(tmp_path, EventFilter(since=FULL + 100 * MINUTE)) == [3, 4, 5]
    assert await positions(tmp_path, EventFilter(before=FULL + 100 * MINUTE)) == [1, 2]


def as_version_6(path: Path) -> None:
    """Make a file as a gateway without the index left it."""
    with closing(sqlite3.connect(path / "events.db")) as file, file:
        file.execute("DROP TABLE log_times")
        without_version_8(file)
        file.execute("ALTER TABLE log DROP COLUMN size")
        file.execute("PRAGMA user_version = 6")


async def test_an_older_file_gets_spans_that_hide_nothing_and_skip_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_ROWS", 5)
    minutes = [*range(100), *range(50, 60), *range(200, 300)]
    times = [FULL + minute * MINUTE for minute in minutes]
    async with opened(tmp_path) as (storage, _):
        await storage.append(attrs.evolve(entry(quarantined=(QuarantinedItem("m", b"[]"),)), received_at=FULL))
        for millis in times:
            await storage.append(at(millis))
        replayed = EventRow(line(at=FULL))
        await storage.append(Entry("p", "toy", "track", times[-1], (replayed,), resolves=1))
        await storage.append(at(times[-1]))
    times += [FULL, times[-1]]
    as_version_6(tmp_path)

    def expected(where: EventFilter) -> list[int]:
        since, before = where.since or 0, where.before or ANY_TIME
        return [number for number, millis in enumerate(times, 1) if since <= millis < before]

    asked = [
        EventFilter(since=since, before=before) for since in (None, *times[::27]) for before in (None, *times[::21])
    ]
    # Without the upgrade, as commands read it before the next server's start.
    assert [await positions(tmp_path, where) for where in asked] == [expected(where) for where in asked]
    async with opened(tmp_path) as (storage, _):
        pass
    assert query(tmp_path, "PRAGMA user_version") == [(VERSION,)]
    assert [await positions(tmp_path, where) for where in asked] == [expected(where) for where in asked]
    assert len(spans(tmp_path)) == 201  # one for each minute but those of the clock that was set back, and one for all
    async with reading(tmp_path) as reader:
        page = await reader.page(None, EventFilter(since=FULL + 250 * MINUTE))
        assert list(page.positions) == [161, 162, 163, 164, 165]
    async with opened(tmp_path) as (storage, _):
        await storage.append(at(times[-1] + MINUTE))
    assert spans(tmp_path)[-1] == (213, times[-1] + MINUTE, times[-1] + 2 * MINUTE)


async def test_an_older_file_without_receipts_or_without_events_is_upgraded_too(tmp_path: Path) -> None:
    for name, deleted, expected in (
        ("receipts", ("receipts",), [(0, 0, ANY_TIME)]),
        ("everything", ("receipts", "log"), []),
    ):
        path = tmp_path / name
        async with opened(path) as (storage, _):
            await storage.append(at(FULL))
        with closing(sqlite3.connect(path / "events.db")) as file, file:
            for table in deleted:
                file.execute(f"DELETE FROM {table}")
        as_version_6(path)
        async with opened(path):
            pass
        assert spans(path) == expected
        assert await positions(path, EventFilter(since=FULL, before=FULL + MINUTE)) == ([1] if expected else [])
        assert find(path).events.exists()
