"""The reader of the log: pages, filters, following, beside a server and without one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.datadir import DataDir, DataDirError, find
from gateway.storage.contract import EventRow, QuarantinedItem
from gateway.storage.sqlite.read import log
from gateway.storage.sqlite.read.log import Reader
from tests.storage.stores import body, entry, opened, row


async def fill(path: Path, count: int) -> None:
    async with opened(path) as (storage, _):
        await storage.append(entry(*[EventRow(body(number, "pq"[number % 2])) for number in range(count)]))


async def test_every_event_is_read_once_in_order_over_many_pages(tmp_path: Path) -> None:
    await fill(tmp_path, 2001)
    with Reader(find(tmp_path)) as reader:
        everything = [(number + 1, body(number, "pq"[number % 2])) for number in range(2001)]

        assert list(reader.bodies()) == everything
        assert list(reader.bodies(after=1999)) == everything[1999:]
        assert list(reader.bodies(project="q")) == everything[1::2]
        assert list(reader.bodies(project="none")) == []
        assert reader.last() == 2001


async def test_a_project_is_matched_exactly_whatever_else_an_event_says(tmp_path: Path) -> None:
    tricky = [
        b'{"project":"a","name":"\\"project\\":\\"b\\""}',
        b'{"project":"ab"}',
        b'{"project":"a\\u0062"}',
        b'{"project":"a","properties":{"project":"ab"}}',
        '{"project":"ab","name":"\u2028"}'.encode(),
        b'{"project":"AB"}',
        b'{"project":"ab\\""}',
    ]
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(*[EventRow(each) for each in tricky]))

    with Reader(find(tmp_path)) as reader:
        assert [line for _, line in reader.bodies(project="ab")] == [tricky[1], tricky[2], tricky[4]]
        assert (reader.count(), reader.count("ab"), reader.count("a"), reader.count('ab"')) == (7, 3, 2, 1)


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

    with Reader(find(tmp_path)) as reader:
        assert (reader.count(), reader.count("p"), len(list(reader.bodies()))) == (70, 35, 70)


async def test_an_empty_log_reads_as_nothing(tmp_path: Path) -> None:
    await fill(tmp_path, 0)
    with Reader(find(tmp_path)) as reader:
        assert (list(reader.bodies()), reader.count(), reader.last(), list(reader.quarantine())) == ([], 0, 0, [])


async def test_large_bodies_make_short_pages(tmp_path: Path) -> None:
    large = [EventRow(body(str(number) * 1_000_000)) for number in range(10)]
    async with opened(tmp_path) as (storage, _):
        await storage.append(entry(*large))
    with Reader(find(tmp_path)) as reader:
        page, after, more = reader._page(0, None)

        assert (len(page), after, more) == (5, 5, True)
        assert [line for _, line in reader.bodies()] == [each.body for each in large]


async def test_whole_chunks_are_read_once_also_when_some_became_one_meanwhile(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        for number in range(log.PAGE_ROWS + 20):
            await storage.append(entry(EventRow(body(number)), EventRow(body(-number))))
    everything = [body(each) for number in range(log.PAGE_ROWS + 20) for each in (number, -number)]
    with Reader(find(tmp_path)) as reader:
        assert b"\n".join(reader.lines()).split(b"\n") == everything
        pieces = reader.lines()
        read = [next(pieces) for _ in range(log.PAGE_ROWS)]
        with closing(sqlite3.connect(tmp_path / "events.db")) as file, file:
            rows = file.execute("SELECT last, keys, lines FROM log ORDER BY last").fetchall()[-30:]
            file.execute("DELETE FROM log WHERE last >= ?", rows[0][:1])
            merged = rows[-1][0], b"".join([keys for _, keys, _ in rows]), "\n".join([lines for *_, lines in rows])
            file.execute("INSERT INTO log (last, keys, lines) VALUES (?, ?, ?)", merged)
        assert b"\n".join([*read, *pieces]).split(b"\n") == everything


async def test_following_yields_new_events_until_the_caller_stops(tmp_path: Path) -> None:
    await fill(tmp_path, 3)
    batches = [[row("a"), row("b", "q")], [], [row("c")]]
    async with opened(tmp_path) as (storage, _):
        with Reader(find(tmp_path)) as reader:
            pauses = 0

            def pause() -> bool:
                nonlocal pauses
                pauses += 1
                return False

            followed: list[bytes] = []
            after = 2
            for batch in batches:
                if batch:
                    await storage.append(entry(*batch))
                for position, line in reader.follow(after, pause, project="p"):
                    after = position
                    followed.append(line)

            assert followed == [body(2), body("a"), body("c")]
            assert pauses == 3


async def test_following_goes_on_as_long_as_its_pause_says_so(tmp_path: Path) -> None:
    await fill(tmp_path, 1)
    writer = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    answers = iter([True, True, False])

    def pause() -> bool:
        writer.execute('INSERT INTO log (last, keys, lines) SELECT max(last) + 1, NULL, \'{"project":"p"}\' FROM log')
        return next(answers)

    with Reader(find(tmp_path)) as reader:
        assert [position for position, _ in reader.follow(0, pause)] == [1, 2, 3]
    writer.close()


async def test_a_reader_that_stops_in_the_middle_holds_no_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "PAGE_ROWS", 1)
    await fill(tmp_path, 600)
    await fill(tmp_path, 600)
    async with opened(tmp_path) as (storage, engine):
        with Reader(find(tmp_path)) as reader:
            lines = reader.bodies()
            next(lines)
            await storage.append(entry(row("later")))

            checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
            assert await engine.run(lambda connection: connection.execute(checkpoint).fetchone()) == (0, 0, 0)
            assert len(list(lines)) == 1200


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
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "holds no events yet"), (b"not a database" * 100, "file is not a database")]
)
def test_a_file_that_is_not_a_log_is_an_error_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "events.db").write_bytes(content)
    with pytest.raises(DataDirError, match=message):
        Reader(find(tmp_path))


async def test_a_newer_file_is_not_read(tmp_path: Path) -> None:
    await fill(tmp_path, 1)
    connection = sqlite3.connect(tmp_path / "events.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(DataDirError, match="written by a newer gateway"):
        Reader(find(tmp_path))
