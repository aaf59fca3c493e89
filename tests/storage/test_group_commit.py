"""Group commit: what waits, what fails alone, what recovers. The file is real; it is made to fail by its own limits."""

import asyncio
import itertools
import os
import resource
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, AppendStatus, Blob, Broken, Entry, EventRow, QuarantinedItem
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.testing.engine.given.entries import body, claim, entry, key, row
from tests.storage.stores import counted, opened, stored

NEW = Appended(AppendStatus.NEW)
SEEN = Appended(AppendStatus.NEW, duplicates=(0,))


async def test_what_is_appended_while_a_commit_runs_is_committed_together(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, engine):
        sizes: list[int] = []
        inner = engine.commit

        async def counting(entries: Sequence[Entry]) -> list[Appended]:
            sizes.append(len(entries))
            return await inner(entries)

        # The real engine still commits; only the sizes of the groups are noted on the way.
        engine.commit = counting  # type: ignore[method-assign]
        first = asyncio.create_task(storage.append(entry(row(0))))
        while not sizes:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.gather(first, *[storage.append(entry(row(number))) for number in range(1, 50)])

    assert sizes == [1, 49]


async def test_each_commit_is_told_with_its_seconds_and_the_events_that_are_new(tmp_path: Path) -> None:
    told: list[tuple[float, int]] = []
    ticks = itertools.count(0.0, 0.25)
    item = QuarantinedItem("m", b"[]", b"{}", key("held"))
    async with opened(tmp_path) as (_, engine):
        storage = GroupCommit(engine, on_commit=lambda *commit: told.append(commit), monotonic=lambda: next(ticks))
        for group in (
            [entry(row("a"), row("b")), entry(row("c"), idempotency=claim("k"))],
            [entry(row("a"), row("d"))],
            [entry(row("d"), row("e"), quarantined=(item,)), entry(row("c"), idempotency=claim("k"))],
            [entry(row("a"))],
        ):
            await asyncio.gather(*[storage.append(each) for each in group])
    assert told == [(0.25, 3), (0.25, 1), (0.25, 1), (0.25, 0)]
    assert len(stored(tmp_path)) == 5


async def test_a_commit_that_fails_is_not_told(tmp_path: Path) -> None:
    told: list[tuple[float, int]] = []
    async with opened(tmp_path) as (_, engine):
        storage = GroupCommit(engine, on_commit=lambda *commit: told.append(commit))
        with pytest.raises(UnicodeDecodeError):
            await storage.append(entry(EventRow(b"\xff")))
    assert told == []


async def test_a_group_takes_a_bounded_number_of_rows_but_never_splits_an_entry(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, engine):
        storage = GroupCommit(engine, group_rows=3)
        big = entry(*[row(number) for number in range(10)])
        answers = await asyncio.gather(*[storage.append(each) for each in (entry(row("a")), big, entry(row("b")))])

        assert answers == [NEW, NEW, NEW]
        assert len(stored(tmp_path)) == 12


async def test_beyond_its_bytes_the_queue_refuses_at_once_and_takes_again_once_it_is_empty(tmp_path: Path) -> None:
    async with opened(tmp_path, queue_bytes=1000) as (storage, _):
        large = [entry(EventRow(b'"' + b"x" * 700 + b'"')) for _ in range(3)]

        answers = await asyncio.gather(*[storage.append(each) for each in large], return_exceptions=True)

        assert [type(answer) for answer in answers] == [Appended, StorageUnavailable, StorageUnavailable]
        assert storage.queue.bytes == 0
        assert await storage.append(large[1]) == NEW
        assert len(stored(tmp_path)) == 2


async def test_what_is_submitted_is_answered_later_and_what_cannot_be_taken_is_refused_at_once(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, queue_bytes=1000) as (storage, _):
        large = entry(EventRow(b'"' + b"x" * 700 + b'"'))
        answer = storage.submit(large)
        with pytest.raises(StorageUnavailable):
            storage.submit(large)

        assert not answer.done()
        assert await answer == NEW


async def test_an_entry_larger_than_the_queue_is_taken_when_nothing_waits(tmp_path: Path) -> None:
    async with opened(tmp_path, queue_bytes=10) as (storage, _):
        assert await storage.append(entry(row(1))) == NEW


async def test_a_cancelled_waiter_does_not_cancel_the_commit(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        leaving = asyncio.create_task(storage.append(entry(row(1))))
        staying = asyncio.create_task(storage.append(entry(row(2))))
        await asyncio.sleep(0)
        leaving.cancel()

        assert await staying == NEW
        assert leaving.cancelled()
        assert stored(tmp_path) == [body(1), body(2)]
        assert await storage.append(entry(row(1))) == SEEN


async def test_close_commits_what_was_accepted(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        accepted = [asyncio.create_task(storage.append(entry(row(number)))) for number in range(5)]
        await asyncio.sleep(0)
        await storage.close()

        assert [await each for each in accepted] == [NEW] * 5
    assert stored(tmp_path) == [body(number) for number in range(5)]


@pytest.mark.parametrize(
    "poison",
    [entry(EventRow(b"\xff not text")), entry(row("x"), quarantined=(QuarantinedItem("m", b"[]", b"\xff"),))],
    ids=["a body", "a payload"],
)
async def test_a_poison_entry_fails_alone(tmp_path: Path, poison: Entry) -> None:
    async with opened(tmp_path) as (storage, _):
        answers = await asyncio.gather(
            storage.append(entry(row(1))),
            storage.append(poison),
            storage.append(entry(row(2))),
            return_exceptions=True,
        )

        assert [answers[0], type(answers[1]), answers[2]] == [NEW, UnicodeDecodeError, NEW]
        assert storage.healthy
        assert stored(tmp_path) == [body(1), body(2)]
        assert counted(tmp_path) == {"received": 2, "stored": 2, "duplicate": 0, "quarantined": 0}


async def test_a_value_that_sqlite_refuses_fails_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        blob = Blob("../../etc/passwd", b"content")
        wrong = [
            # The wrong types are the poison that must not fail its neighbours.
            entry(EventRow(body(1), object())),  # type: ignore[arg-type]
            entry(row(1), project={}),  # type: ignore[arg-type]
            attrs.evolve(entry(row(1)), blobs=(blob,)),
        ]
        answers = await asyncio.gather(
            *[storage.append(each) for each in (*wrong, entry(row(2)))], return_exceptions=True
        )

        assert [isinstance(answer, Exception) for answer in answers] == [True, True, True, False]
        assert stored(tmp_path) == [body(2)]
        assert await storage.append(entry(row(1))) == NEW


async def test_a_full_disk_is_refused_rolled_back_and_recovered_from_by_the_next_append(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, engine):
        await storage.append(entry(row(0)))
        await limit_pages(engine, 0)
        large = entry(*[EventRow(body(str(number) * 2000), row(number).key) for number in range(1, 11)])

        refused = await asyncio.gather(storage.append(large), storage.append(entry(row(11))), return_exceptions=True)
        assert [type(answer) for answer in refused] == [StorageUnavailable] * 2
        assert not storage.healthy
        assert stored(tmp_path) == [body(0)]

        await limit_pages(engine, 1_000_000)
        assert await storage.append(large) == NEW
        assert storage.healthy
        assert await storage.append(entry(row(11))) == NEW
        assert counted(tmp_path) == {"received": 12, "stored": 12, "duplicate": 0, "quarantined": 0}


async def test_a_full_disk_that_has_room_again_is_noticed_without_an_append(tmp_path: Path) -> None:
    async with opened(tmp_path, retry_seconds=0.001) as (storage, engine):
        await storage.append(entry(row(0)))
        await limit_pages(engine, 0)
        with pytest.raises(StorageUnavailable):
            await storage.append(entry(EventRow(body("x" * 100_000))))
        await limit_pages(engine, 1_000_000)

        await healthy(storage)
        assert await storage.append(entry(row(1))) == NEW


async def limit_pages(engine: SqliteEngine, pages: int) -> None:
    """Let the file grow to so many pages, or, with 0, to no more than it has."""

    def job(connection: sqlite3.Connection) -> None:
        limit = pages or connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {limit}").fetchall()

    await engine.run(job)


async def test_a_failing_disk_stops_acknowledging_until_the_file_was_reopened(tmp_path: Path) -> None:
    async with opened(tmp_path, max_memtable_keys=5, retry_seconds=0.001) as (storage, engine):
        for number in range(12):
            await storage.append(entry(row(number)))
        before = engine._log_writer.connection
        size = (tmp_path / "events.db-wal").stat().st_size
        with files_no_larger_than(size):
            refused = await asyncio.gather(
                *[storage.append(entry(row(number), row("new"))) for number in range(3)], return_exceptions=True
            )
            assert [type(answer) for answer in refused] == [StorageUnavailable] * 3
            assert not storage.healthy
            while engine._log_writer.connection is before:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            with pytest.raises(StorageUnavailable):
                await storage.append(entry(row(20)))

        await healthy(storage)
        assert stored(tmp_path) == [body(number) for number in range(12)]
        assert await storage.append(entry(row(11), row("new"))) == Appended(AppendStatus.NEW, duplicates=(0,))
        assert counted(tmp_path) == {"received": 14, "stored": 13, "duplicate": 1, "quarantined": 0}


async def test_a_file_that_is_gone_at_a_reopen_does_not_come_back_empty(tmp_path: Path) -> None:
    async with opened(tmp_path, retry_seconds=0.001) as (storage, engine):
        await storage.append(entry(row(1)))
        with files_no_larger_than((tmp_path / "events.db-wal").stat().st_size):
            with pytest.raises(StorageUnavailable):
                await storage.append(entry(row(2)))
            (tmp_path / "events.db").rename(tmp_path / "away")
        for _ in range(3):
            with pytest.raises(Broken):
                await engine.reopen()
        assert not storage.healthy

        (tmp_path / "away").rename(tmp_path / "events.db")
        await healthy(storage)
        assert [await storage.append(entry(row(number))) for number in (1, 2)] == [SEEN, NEW]


async def test_a_store_can_be_closed_while_it_tries_to_recover(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(row(1)))
        with files_no_larger_than((tmp_path / "events.db-wal").stat().st_size):
            with pytest.raises(StorageUnavailable):
                await storage.append(entry(row(2)))
            await storage.close()

    assert stored(tmp_path) == [body(1)]


async def test_a_close_waits_for_a_reopen_that_has_begun(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, engine):
        said: list[str] = []
        inner = engine.reopen

        async def telling() -> None:
            said.append("begins")
            await inner()
            said.append("ends")

        # The real engine still reopens; only the beginning and the end are noted.
        engine.reopen = telling  # type: ignore[method-assign]
        storage.fail(Broken("the disk failed"))
        while not said:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await storage.close()

    assert (said, os.listdir(tmp_path)) == (["begins", "ends"], ["events.db"])


async def test_rows_that_somebody_else_wrote_lead_to_a_reopen_and_not_to_errors_for_ever(tmp_path: Path) -> None:
    async with opened(tmp_path, retry_seconds=0.001) as (storage, _):
        await storage.append(entry(row(1)))
        stranger = sqlite3.connect(tmp_path / "events.db")
        with stranger:
            stranger.execute("INSERT INTO log (last, keys, lines) VALUES (2, ?, ?)", (row(2).key, body(2).decode()))
        stranger.close()

        with pytest.raises(StorageUnavailable):
            await storage.append(entry(row(3)))
        await healthy(storage)
        assert [await storage.append(entry(row(number))) for number in (1, 2, 3)] == [SEEN, SEEN, NEW]


async def healthy(storage: GroupCommit) -> None:
    async with asyncio.timeout(30):
        while not storage.healthy:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Make writes beyond fail (EFBIG, an IO error to SQLite) in this process; the kernel's own limit, no pretence."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
