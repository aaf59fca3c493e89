"""The SQLite engine: what a reopened file knows, what is flushed and forgotten, and what plain sqlite3 can query."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

from gateway.datadir import DataDirError, find, make
from gateway.storage.contract import Appended, AppendStatus, EventRow, QuarantinedItem
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.read.reader import Reader
from gateway.storage.sqlite.tables import VERSION
from gateway.testing.engine.given.entries import body, claim, entry, key, row, stored_items
from tests.storage.stores import Clock, counted, opened, query, stored


async def seen(
    path: Path, numbers: Sequence[int], max_memtable_keys: int = 100_000, clock: Clock | None = None
) -> tuple[bool, ...]:
    """Append the rows of these numbers; return for each whether its key was known."""
    async with opened(path, max_memtable_keys=max_memtable_keys, clock=clock) as (storage, _):
        appended = await storage.append(entry(*[row(number) for number in numbers]))
        return tuple(index in appended.duplicates for index in range(len(numbers)))


@pytest.mark.parametrize("max_memtable_keys", [1, 7, 100, 100_000])
async def test_a_reopened_file_knows_every_key_wherever_its_flush_stood(tmp_path: Path, max_memtable_keys: int) -> None:
    for start in range(0, 60, 10):
        async with opened(tmp_path, max_memtable_keys=max_memtable_keys) as (storage, _):
            for number in range(start, start + 10):
                await storage.append(entry(row(number)))

    assert await seen(tmp_path, range(61), max_memtable_keys) == (True,) * 60 + (False,)
    assert stored(tmp_path) == [body(number) for number in range(61)]


async def test_flushed_keys_leave_memory_and_the_watermark_says_how_far(tmp_path: Path) -> None:
    async with opened(tmp_path, max_memtable_keys=10) as (storage, engine):
        for number in range(100):
            await storage.append(entry(row(number)))
        known_keys = engine._log_writer.known_keys
        in_memory = sum(len(bucket) // 16 for bucket in (*known_keys.memtable, *known_keys.immutable))

    (watermark,) = query(tmp_path, "SELECT value FROM meta WHERE name = 'watermark'")[0]
    assert (in_memory < 30, 70 <= int(str(watermark)) < 100) == (True, True)
    flushed = b"".join([bytes.fromhex(str(keys)) for (keys,) in query(tmp_path, "SELECT hex(keys) FROM seen_current")])
    assert all(key(number) in flushed for number in range(int(str(watermark))))


async def test_a_log_without_keys_moves_the_watermark_too(tmp_path: Path) -> None:
    async with opened(tmp_path, max_memtable_keys=2) as (storage, _):
        for number in range(20):
            await storage.append(entry(EventRow(body(number))))

    assert query(tmp_path, "SELECT value >= 10 FROM meta WHERE name = 'watermark'") == [(1,)]


async def test_positions_are_never_given_twice_even_when_the_end_of_the_log_was_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path, max_memtable_keys=1) as (storage, _):
        for number in range(5):
            await storage.append(entry(row(number)))
    (watermark,) = query(tmp_path, "SELECT value FROM meta WHERE name = 'watermark'")[0]
    connection = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    connection.execute("DELETE FROM log")
    connection.close()

    assert await seen(tmp_path, [10], max_memtable_keys=1) == (False,)
    assert query(tmp_path, "SELECT position FROM events") == [(int(str(watermark)) + 1,)]


async def test_keys_and_idempotency_records_are_known_for_at_least_one_window_and_forgotten_after_two(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with opened(tmp_path, window=100.0, clock=clock, max_memtable_keys=1) as (storage, _):
        await storage.append(entry(row("old"), idempotency=claim("old")))
        await storage.append(entry(row("a")))
        clock.now += 101
        await storage.append(entry(row("b")))  # rotates
        clock.now += 99
        within = await storage.append(entry(row("old")))
        replayed = await storage.append(entry(idempotency=claim("old")))
        clock.now += 2
        await storage.append(entry(row("c")))  # rotates again
        for number in range(6):
            await storage.append(entry(row(number)))
        beyond = await storage.append(entry(row("old"), idempotency=claim("old")))

    assert (within, replayed) == (
        Appended(AppendStatus.NEW, duplicates=(0,)),
        Appended(AppendStatus.REPLAYED, outcomes=stored_items("first")),
    )
    assert beyond == Appended(AppendStatus.NEW)
    assert query(tmp_path, "SELECT name FROM sqlite_schema WHERE name LIKE '%forgotten'") == []


async def test_a_key_that_comes_again_is_remembered_from_its_first_time(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path, window=100.0, clock=clock, max_memtable_keys=1) as (storage, _):
        answers = []
        for _ in range(4):
            answers.append((await storage.append(entry(row("k"), row(clock.now)))).duplicates)
            clock.now += 60

    assert answers == [(), (0,), (0,), (0,)]


async def test_the_time_in_which_no_gateway_runs_does_not_age_a_generation(tmp_path: Path) -> None:
    for start in (0.0, 10_000.0, 20_000.0):
        clock = Clock(start)
        async with opened(tmp_path, window=200.0, clock=clock) as (storage, _):
            await storage.append(entry(row(start)))
            clock.now += 70
            await storage.append(entry(row(start + 1)))

    assert query(tmp_path, "SELECT value FROM meta WHERE name = 'elapsed'") == [(0.0,)]


async def test_idempotency_records_are_known_after_a_reopen(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(row(1), idempotency=claim("k", outcomes=())))
        await storage.append(entry(row(2), idempotency=claim("l", outcomes=stored_items("two"))))

    async with opened(tmp_path) as (storage, _):
        assert await storage.append(entry(idempotency=claim("k"))) == Appended(AppendStatus.REPLAYED, outcomes=())
        assert await storage.append(entry(idempotency=claim("l", "that"))) == Appended(AppendStatus.CONFLICT)


async def test_quarantined_items_are_stored_whole_and_counted(tmp_path: Path) -> None:
    quarantined = (
        QuarantinedItem("m1", b'[{"code":"required"}]', b'{"a":1}'),
        QuarantinedItem("m2", b"[]", b'{"b":2}'),
    )
    async with opened(tmp_path) as (storage, _):
        answer = await storage.append(entry(row(1), quarantined=quarantined))

    assert answer == Appended(AppendStatus.NEW)
    columns = ("id", "message_id", "received_at", "project", "dialect", "route", "faults", "payload")
    with Reader(find(tmp_path)) as reader:
        found = [tuple(each[name] for name in columns) for each in reader.quarantine()]
    assert found == [
        (1, "m1", 1_700_000_000_000, "p", "toy", "track", '[{"code":"required"}]', '{"a":1}'),
        (2, "m2", 1_700_000_000_000, "p", "toy", "track", "[]", '{"b":2}'),
    ]
    assert counted(tmp_path) == {"received": 3, "stored": 1, "duplicate": 0, "quarantined": 2}


async def test_anyone_may_query_the_file_while_the_writer_runs(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(row(1), row(2)))

        question = "SELECT position, typeof(body), json_extract(body, '$.name') FROM events"
        assert query(tmp_path, question) == [(1, "text", "1"), (2, "text", "2")]
        assert query(tmp_path, "SELECT typeof(key), key FROM events WHERE position = 1") == [("blob", key(1))]


async def test_every_commit_is_synced_to_a_write_ahead_log(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, engine):
        modes = await engine.run(
            lambda connection: [
                *connection.execute("PRAGMA synchronous").fetchone(),
                *connection.execute("PRAGMA journal_mode").fetchone(),
            ]
        )

    assert modes == [2, "wal"]


async def test_only_the_owner_can_read_the_files_even_in_an_open_directory(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    async with opened(tmp_path / "open") as (storage, _):
        await storage.append(entry(row(1)))
        modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "open").iterdir()}

    assert modes == {"events.db": 0o600, "events.db-wal": 0o600, "events.db-shm": 0o600}


async def test_a_file_of_a_newer_schema_is_refused_in_one_line_and_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(row(1)))
    query(tmp_path, f"PRAGMA user_version = {VERSION + 1}")

    with pytest.raises(DataDirError) as refused:
        await SqliteEngine.open(make(tmp_path))

    newer = f"schema {VERSION + 1}, this one knows {VERSION}"
    expected = f"{tmp_path}/events.db was written by a newer gateway ({newer}); upgrade this one"
    assert str(refused.value) == expected
    assert query(tmp_path, "PRAGMA user_version") == [(VERSION + 1,)]


async def test_a_file_that_is_not_a_database_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"not a database" * 100)

    with pytest.raises(DataDirError, match=r"^cannot open .*/events.db: file is not a database$"):
        await SqliteEngine.open(make(tmp_path))


async def test_a_schema_that_a_kill_cut_short_is_completed(tmp_path: Path) -> None:
    query(tmp_path, "PRAGMA journal_mode = WAL")

    assert await seen(tmp_path, [1]) == (False,)
    assert json.loads(stored(tmp_path)[0]) == {"project": "p", "name": "1"}


async def test_receipts_grow_whatever_the_clock_says(tmp_path: Path) -> None:
    receipts = []
    for times in ((5_000_000, 5_000_000), (1, 1 << 50), (7_000_000, 0)):
        async with opened(tmp_path) as (storage, _):
            for at in times:
                receipts.append((await storage.append(attrs.evolve(entry(), received_at=at))).receipt)

    assert (sorted(set(receipts)), receipts[-1] < 1 << 63) == (receipts, True)
