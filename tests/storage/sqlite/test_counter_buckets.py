"""The counters by time grow with the counters, in the same commit, and expire a few with each commit."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import attrs

from gateway.datadir import DataDir, find
from gateway.operate import counters
from gateway.operate.counters import Totals, TotalsSince
from gateway.storage.contract import Entry
from gateway.storage.sqlite.read.buckets import counter_buckets
from gateway.storage.sqlite.read.reader import Reader
from gateway.storage.sqlite.store import SqliteStore
from gateway.testing.engine.given.entries import entry, row
from tests.storage.stores import opened, query, without_version_8

START = 1_700_000_000  # within the minute that begins 20 seconds earlier, and the hour that begins at 1_699_999_200
FIRST_MINUTE, FIRST_HOUR = START - 20, START - 800
DAY = 86_400


def at(seconds: float, given: Entry) -> Entry:
    return attrs.evolve(given, received_at=int((START + seconds) * 1000))


def buckets(folder: Path, span: int) -> list[tuple[int, str, str, str, int]]:
    with Reader(find(folder)) as reader:
        return counter_buckets(reader, span, 0)


async def totals(folder: Path) -> Totals:
    async with SqliteStore(DataDir(folder)).records() as records:
        return await counters.totals(records)


async def totals_since(folder: Path, since: int, now: int) -> TotalsSince:
    async with SqliteStore(DataDir(folder)).records() as records:
        return await counters.totals_since(records, since, now)


async def test_expired_buckets_go_a_few_with_each_commit_and_none_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, engine):
        await engine.commit([at(minute * 60, entry(row(minute))) for minute in range(150)])
        assert len(buckets(tmp_path, 60)) == 300
        later = 2 * DAY + 149 * 60
        left = []
        for second in range(4):
            await engine.commit([at(later + second, entry(row(f"later {second}")))])
            left.append(len([each for each in buckets(tmp_path, 60) if each[0] < START + DAY]))
        assert left == [192, 84, 2, 2]
        assert [each[0] for each in buckets(tmp_path, 60)[:4:2]] == [
            FIRST_MINUTE + 149 * 60,
            FIRST_MINUTE + later,
        ]
        assert len(buckets(tmp_path, 3600)) == 6 + 2
        await engine.commit([at(403 * DAY, entry(row("last")))])
        assert [each[0] for each in buckets(tmp_path, 3600)] == [FIRST_HOUR + 403 * DAY] * 2


async def test_a_commit_that_fails_leaves_no_count(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, engine):
        await engine.commit([at(0, entry(row("a")))])
        await engine.run(lambda connection: connection.execute("ALTER TABLE counter_buckets RENAME TO gone"))
        try:
            await engine.commit([at(0, entry(row("b")))])
        except sqlite3.Error:
            pass
        else:
            raise AssertionError("the table is gone")
        await engine.run(lambda connection: connection.execute("ALTER TABLE gone RENAME TO counter_buckets"))
    assert query(tmp_path, "SELECT sum(count) FROM counters") == [(2,)]
    assert query(tmp_path, "SELECT sum(count) FROM counter_buckets WHERE span = 60") == [(2,)]


async def test_a_file_that_was_counted_without_says_since_when_there_are_counts_by_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, engine):
        await engine.commit([at(0, entry(row("a")))])
    assert query(tmp_path, "SELECT * FROM meta WHERE name = 'buckets_since'") == []
    with closing(sqlite3.connect(tmp_path / "events.db")) as file, file:
        file.execute("DROP TABLE counter_buckets")
        without_version_8(file)
        file.execute("ALTER TABLE log DROP COLUMN size")
        file.execute("PRAGMA user_version = 4")
    async with opened(tmp_path):
        pass
    [(value,)] = query(tmp_path, "SELECT value FROM meta WHERE name = 'buckets_since'")
    upgraded = int(str(value))
    found = await totals_since(tmp_path, START * 1000, (upgraded + 5) * 1000)
    assert found == TotalsSince(Counter(), FIRST_HOUR * 1000, upgraded * 1000)
    assert await totals(tmp_path) == {("p", "toy", "received"): 1, ("p", "toy", "stored"): 1}
