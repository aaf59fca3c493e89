"""Quarantined items: stored with their request, once for each id, and ended exactly once by a replay or a drop."""

import asyncio
import random
import sqlite3
from hashlib import sha256
from pathlib import Path

import attrs
import pytest

from gateway.datadir import find
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Appended, AppendStatus, Entry, QuarantinedItem
from gateway.storage.sqlite.read.quarantine import QuarantineRecord, quarantine_ids, quarantine_record, settled
from gateway.storage.sqlite.read.reader import Reader
from tests.storage.stores import body, claim, counted, entry, kept, key, opened, query, row, stored

FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'
RAW = RawRequest("POST", "/batch", b'{"a":"1"}', b'{"host":"h"}', b"\xff{}", "192.0.2.1", "site")
NEW, SEEN = Appended(AppendStatus.NEW), Appended(AppendStatus.NEW, duplicates=(0,))


def quarantined(name: str, index: int = 0, keyed: bool = True) -> QuarantinedItem:
    return QuarantinedItem(name, FAULTS, b"{}", key(name) if keyed else None, index)


def holding(*items: QuarantinedItem, raw: RawRequest = RAW) -> Entry:
    return attrs.evolve(entry(quarantined=items), request=kept(raw))


def messages(path: Path) -> list[tuple[object, object]]:
    with Reader(find(path)) as reader:
        return [(row["id"], row["message_id"]) for row in reader.quarantine()]


def settling(number: int, *names: str) -> Entry:
    return attrs.evolve(entry(*[row(name) for name in names]), resolves=number)


async def test_a_quarantined_item_is_read_back_whole_with_its_request(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        receipt = (await storage.append(holding(quarantined("a"), quarantined("b", 7)))).receipt

    with Reader(find(tmp_path)) as reader:
        head = (2, "b", 1_700_000_000_000, "p", "toy", "track", "quarantined", 7, receipt)
        assert quarantine_record(reader, 2) == QuarantineRecord(*head, FAULTS.decode(), "{}", RAW)
        assert (quarantine_record(reader, 3), list(quarantine_ids(reader, "quarantined"))) == (None, [1, 2])
    assert query(tmp_path, "SELECT count(*) FROM quarantined_requests") == [(1,)]
    assert query(tmp_path, "SELECT id, project, route FROM quarantine") == [(1, "p", "track"), (2, "p", "track")]


async def test_an_item_is_quarantined_once_even_after_a_restart_and_within_a_group(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        answers = await asyncio.gather(*[storage.append(holding(quarantined("a"))) for _ in range(3)])
        twice = await storage.append(holding(quarantined("b"), quarantined("b", 1)))
    async with opened(tmp_path) as (storage, _):
        again = await storage.append(holding(quarantined("a")))

    assert sorted(answer.duplicates for answer in answers) == [(), (0,), (0,)]
    assert (twice.duplicates, again) == ((1,), SEEN)
    assert messages(tmp_path) == [(1, "a"), (2, "b")]
    assert query(tmp_path, "SELECT count(*) FROM quarantined_requests") == [(2,)]
    assert counted(tmp_path) == {"received": 6, "stored": 0, "duplicate": 4, "quarantined": 2}


async def test_items_without_an_id_are_all_quarantined(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        assert await storage.append(holding(*[quarantined("a", index, keyed=False) for index in range(2)])) == NEW


async def test_an_item_with_the_id_of_an_event_is_a_duplicate_and_a_quarantined_id_may_become_an_event(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (storage, _):
        assert await storage.append(entry(row("a"))) == NEW
        assert await storage.append(holding(quarantined("a"))) == SEEN
        assert await storage.append(holding(quarantined("b"))) == NEW
        assert await storage.append(entry(row("b"))) == NEW
        assert await storage.append(settling(1, "b")) == SEEN

    assert counted(tmp_path) == {"received": 4, "stored": 2, "duplicate": 2, "quarantined": 0}


async def test_a_replayed_item_is_stored_once_and_a_retry_of_it_is_a_duplicate(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        await storage.append(holding(quarantined("a"), quarantined("b", 1)))
        answers = await asyncio.gather(*[storage.append(settling(1, "a")) for _ in range(2)])
    async with opened(tmp_path) as (storage, _):
        again = await storage.append(settling(1, "a"))
        retried = await storage.append(holding(quarantined("a")))

    assert ([*answers, again], retried) == ([NEW, *[Appended(AppendStatus.REPLAYED)] * 2], SEEN)
    assert (stored(tmp_path), messages(tmp_path)) == ([body("a")], [(2, "b")])
    assert counted(tmp_path) == {"received": 3, "stored": 1, "duplicate": 1, "quarantined": 1}
    with Reader(find(tmp_path)) as reader:
        assert [settled(reader, number) for number in (1, 2)] == ["stored at position 1", None]


async def test_a_dropped_item_is_gone_with_its_request_once_it_was_the_last_and_its_number_stays_its_own(
    tmp_path: Path,
) -> None:
    left = []
    async with opened(tmp_path) as (storage, _):
        await storage.append(holding(quarantined("a"), quarantined("b", 1)))
        for number in (2, 1, 1):
            answer = await storage.append(settling(number))
            left.append((answer.status, query(tmp_path, "SELECT count(*) FROM quarantined_requests")))
    async with opened(tmp_path) as (storage, _):
        await storage.append(holding(quarantined("c")))

    assert left == [(AppendStatus.NEW, [(1,)]), (AppendStatus.NEW, [(0,)]), (AppendStatus.REPLAYED, [(0,)])]
    assert messages(tmp_path) == [(3, "c")]
    assert counted(tmp_path) == {"received": 3, "stored": 0, "duplicate": 0, "quarantined": 3}


async def test_a_replayed_request_quarantines_nothing_again_and_names_the_first_receipt(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        first = await storage.append(attrs.evolve(holding(quarantined("a", keyed=False)), idempotency=claim("k")))
    async with opened(tmp_path) as (storage, _):
        again = await storage.append(attrs.evolve(holding(quarantined("a", keyed=False)), idempotency=claim("k")))

    assert (again.status, again.receipt == first.receipt > 0) == (AppendStatus.REPLAYED, True)
    assert counted(tmp_path) == {"received": 2, "stored": 0, "duplicate": 1, "quarantined": 1}


def sizes(path: Path) -> dict[str, int]:
    return {str(project): int(str(size)) for project, size in query(path, "SELECT * FROM quarantine_sizes")}


async def test_beyond_its_size_a_quarantine_keeps_fault_size_and_digest_and_events_are_stored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    large = attrs.evolve(RAW, body=random.Random(1).randbytes(40_000))
    async with opened(tmp_path, quarantine_bytes=100_000) as (storage, _):
        for name in "abcd":
            mixed = attrs.evolve(entry(row(f"good {name}"), quarantined=(quarantined(name),)), request=kept(large))
            assert await storage.append(mixed) == NEW
        other = attrs.evolve(holding(quarantined("e"), raw=large), project="q")
        assert await storage.append(other) == NEW
        assert await storage.append(holding(quarantined("small"))) == NEW

    assert stored(tmp_path) == [body(f"good {name}") for name in "abcd"]
    with Reader(find(tmp_path)) as reader:
        rows = list(reader.quarantine())
        record = quarantine_record(reader, 3)
    assert [(row["message_id"], row.get("kept", True)) for row in rows] == [
        *(("a", True), ("b", True), ("c", False), ("d", False)),
        *(("e", True), ("small", True)),
    ]
    digest = sha256(large.body).hexdigest()
    assert {name: rows[2][name] for name in ("faults", "payload", "size", "sha256")} == {
        "faults": FAULTS.decode(),
        "payload": None,
        "size": 40_000,
        "sha256": digest,
    }
    assert record is not None
    assert (record.kept, record.raw, record.size, record.sha256) == (False, None, 40_000, digest)
    said = [each.getMessage() for each in caplog.records]
    assert said == [
        "the quarantine of project p is full (0 MB): of further items only fault, size and digest are kept; replay or "
        "drop some, or raise quarantine_megabytes"
    ]


async def test_a_dropped_request_makes_room_and_the_size_is_known_after_a_restart(tmp_path: Path) -> None:
    large = attrs.evolve(RAW, body=random.Random(1).randbytes(40_000))
    async with opened(tmp_path, quarantine_bytes=90_000) as (storage, _):
        await storage.append(holding(quarantined("a"), quarantined("b", 1), raw=large))
        one = sizes(tmp_path)["p"]
        await storage.append(holding(quarantined("c"), raw=large))
        two = sizes(tmp_path)["p"]
        await storage.append(settling(1))
        assert sizes(tmp_path) == {"p": two}
    async with opened(tmp_path, quarantine_bytes=90_000) as (storage, _):
        await storage.append(holding(quarantined("d"), raw=large))
        three = sizes(tmp_path)["p"]
        await storage.append(settling(2))
        assert sizes(tmp_path) == {"p": three - one}
        await storage.append(holding(quarantined("e"), raw=large))
        for number in (3, 4, 5):
            await storage.append(settling(number))

    assert (40_000 < one < 41_000, two - one > 40_000, three - two < 1000) == (True, True, True)
    assert (sizes(tmp_path), query(tmp_path, "SELECT count(*) FROM quarantined_keys")) == ({"p": 0}, [(0,)])


async def test_a_commit_that_fails_leaves_the_size_as_it_was(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, engine):
        await engine.commit([holding(quarantined("a"))])
        before = sizes(tmp_path)
        await engine.run(lambda connection: connection.execute("ALTER TABLE counters RENAME TO gone"))
        with pytest.raises(sqlite3.Error):
            await engine.commit([holding(quarantined("b"))])
        await engine.run(lambda connection: connection.execute("ALTER TABLE gone RENAME TO counters"))
        assert (sizes(tmp_path), engine._log_writer.quarantine.sizes) == (before, before)
        await engine.commit([holding(quarantined("b"))])
    assert messages(tmp_path) == [(1, "a"), (2, "b")]


async def test_thousands_of_items_of_one_request_end_one_by_one(tmp_path: Path) -> None:
    items = [quarantined(f"m-{index}", index) for index in range(3000)]
    async with opened(tmp_path) as (storage, _):
        await storage.append(holding(*[attrs.evolve(item, payload=b"") for item in items]))
        await asyncio.gather(*[storage.append(settling(number)) for number in range(1, 3000)])
        assert query(tmp_path, "SELECT id FROM quarantine") == [(3000,)]
        assert await storage.append(holding(attrs.evolve(items[0], payload=b""))) == NEW
        assert await storage.append(holding(attrs.evolve(items[-1], payload=b""))) == SEEN
        await storage.append(settling(3000))

    assert query(tmp_path, "SELECT id FROM quarantine") == [(3001,)]
    with Reader(find(tmp_path)) as reader:
        assert [settled(reader, number) for number in (1, 3000, 3001)] == ["dropped", "dropped", None]
