"""Held items: kept with their request, once an id, and ended exactly once, whether replayed or dropped."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from gateway.datadir import DataDirError, find
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Appended, AppendStatus, Entry, QuarantinedItem
from gateway.storage.sqlite.read.log import Reader
from gateway.storage.sqlite.read.quarantine import QuarantineRecord, quarantine_ids, quarantine_record, settled
from gateway.storage.sqlite.tables import UPGRADES, VERSION
from tests.storage.stores import body, claim, counted, entry, key, opened, row, stored

FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'
RAW = RawRequest("POST", "/batch", b'{"a":"1"}', b'{"host":"h"}', b"\xff{}", "192.0.2.1", "site")
NEW, SEEN = Appended(AppendStatus.NEW, (False,)), Appended(AppendStatus.NEW, (True,))


def quarantined(name: str, index: int = 0, keyed: bool = True) -> QuarantinedItem:
    return QuarantinedItem(name, FAULTS, b"{}", key(name) if keyed else None, index)


def holding(*items: QuarantinedItem, raw: RawRequest | None = RAW) -> Entry:
    return attrs.evolve(entry(quarantined=items), raw=raw)


def settling(number: int, *names: str) -> Entry:
    return attrs.evolve(entry(*[row(name) for name in names]), resolves=number)


def asked(path: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path / "events.db")) as connection:
        return connection.execute(question).fetchall()


async def test_a_held_item_is_read_back_whole_with_its_request(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        receipt = (await storage.append(holding(quarantined("a"), quarantined("b", 7)))).receipt

    with Reader(find(tmp_path)) as reader:
        head = (2, "b", 1_700_000_000_000, "p", "toy", "track", "quarantined", 7, receipt)
        assert quarantine_record(reader, 2) == QuarantineRecord(*head, FAULTS.decode(), "{}", RAW)
        assert (quarantine_record(reader, 3), list(quarantine_ids(reader, "quarantined"))) == (None, [1, 2])
    assert asked(tmp_path, "SELECT count(*) FROM requests") == [(1,)]


async def test_the_same_item_is_held_once_also_after_a_restart_and_within_a_group(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        answers = await asyncio.gather(*[storage.append(holding(quarantined("a"))) for _ in range(3)])
        twice = await storage.append(holding(quarantined("b"), quarantined("b", 1)))
    async with opened(tmp_path) as (storage, _):
        again = await storage.append(holding(quarantined("a")))

    assert sorted(answer.seen for answer in answers) == [(False,), (True,), (True,)]
    assert (twice.seen, again) == ((False, True), SEEN)
    assert asked(tmp_path, "SELECT message_id FROM quarantine") == [("a",), ("b",)]
    assert asked(tmp_path, "SELECT count(*) FROM requests") == [(2,)]
    assert counted(tmp_path) == {"received": 6, "stored": 0, "duplicate": 4, "quarantined": 2}


async def test_items_without_an_id_are_held_each(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        assert (await storage.append(holding(*[quarantined("a", index, keyed=False) for index in range(2)]))).seen == (
            False,
            False,
        )


async def test_an_item_whose_id_is_an_events_is_a_duplicate_and_a_held_id_may_become_an_event(tmp_path: Path) -> None:
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
    assert (stored(tmp_path), asked(tmp_path, "SELECT message_id FROM quarantine")) == ([body("a")], [("b",)])
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
            left.append((answer.status, asked(tmp_path, "SELECT count(*) FROM requests")))
    async with opened(tmp_path) as (storage, _):
        await storage.append(holding(quarantined("c")))

    assert left == [(AppendStatus.NEW, [(1,)]), (AppendStatus.NEW, [(0,)]), (AppendStatus.REPLAYED, [(0,)])]
    assert asked(tmp_path, "SELECT id, message_id FROM quarantine") == [(3, "c")]
    assert counted(tmp_path) == {"received": 3, "stored": 0, "duplicate": 0, "quarantined": 3}


async def test_a_replayed_claim_holds_nothing_again_and_names_the_first_receipt(tmp_path: Path) -> None:
    async with opened(tmp_path) as (storage, _):
        first = await storage.append(attrs.evolve(holding(quarantined("a", keyed=False)), idempotency=claim("k")))
    async with opened(tmp_path) as (storage, _):
        again = await storage.append(attrs.evolve(holding(quarantined("a", keyed=False)), idempotency=claim("k")))

    assert (again.status, again.receipt == first.receipt > 0) == (AppendStatus.REPLAYED, True)
    assert counted(tmp_path) == {"received": 2, "stored": 0, "duplicate": 1, "quarantined": 1}


async def test_receipts_grow_whatever_the_clock_says(tmp_path: Path) -> None:
    receipts = []
    for times in ((5_000_000, 5_000_000), (1, 1 << 50), (7_000_000, 0)):
        async with opened(tmp_path) as (storage, _):
            for at in times:
                receipts.append((await storage.append(attrs.evolve(entry(), received_at=at))).receipt)

    assert (sorted(set(receipts)), receipts[-1] < 1 << 63) == (receipts, True)


def older(path: Path) -> None:
    """Make a file as the first schema had it, with something in every table."""
    path.mkdir()
    with closing(sqlite3.connect(path / "events.db")) as connection, connection:
        for statement in UPGRADES[0]:
            connection.execute(statement)
        connection.execute("INSERT INTO events VALUES (1, ?, ?)", (key("a"), body("a").decode()))
        connection.execute("INSERT INTO quarantine VALUES (1, 'q', 5, 'p', 'toy', 'track', '[]', '{}')")
        connection.execute("INSERT INTO counters VALUES ('p', 'toy', 'received', 2), ('p', 'toy', 'stored', 1)")
        connection.execute("INSERT INTO counters VALUES ('p', 'toy', 'quarantined', 1)")
        for table, name in (("claims_current", "k"), ("claims_previous", "l")):
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (name.encode(), b"same", b"first"))
        connection.execute("PRAGMA user_version = 1")


async def test_an_older_file_is_upgraded_with_all_that_it_holds(tmp_path: Path) -> None:
    older(tmp_path / "data")
    async with opened(tmp_path / "data") as (storage, _):
        assert await storage.append(entry(row("a"), row("b"))) == Appended(AppendStatus.NEW, (True, False))
        for name in ("k", "l"):
            replayed = await storage.append(entry(idempotency=claim(name)))
            assert (replayed, replayed.receipt) == (Appended(AppendStatus.REPLAYED, outcomes=b"first"), 0)
        assert (await storage.append(holding(quarantined("c")))).seen == (False,)

    assert asked(tmp_path / "data", "PRAGMA user_version") == [(VERSION,)]
    assert stored(tmp_path / "data") == [body("a"), body("b")]
    with Reader(find(tmp_path / "data")) as reader:
        before = QuarantineRecord(1, "q", 5, "p", "toy", "track", "quarantined", None, None, "[]", "{}", None)
        assert (quarantine_record(reader, 1), list(quarantine_ids(reader, "quarantined"))) == (before, [1, 2])


async def test_what_only_a_newer_file_has_is_not_asked_of_an_older_one(tmp_path: Path) -> None:
    older(tmp_path / "data")
    with Reader(find(tmp_path / "data")) as reader:
        assert [line for _, line in reader.bodies()] == [body("a")]
        with pytest.raises(DataDirError, match="was written by an older gateway; `gateway serve` upgrades it$"):
            next(reader.quarantine())
