"""The tables of the quarantine, and its sizes. What every engine promises of it is checked by the kit."""

import random
import sqlite3
from pathlib import Path

import attrs
import pytest

from gateway.datadir import find
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Appended, AppendStatus, Entry, QuarantinedItem
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.sqlite.read.quarantine import quarantine_ids, quarantine_record
from gateway.storage.sqlite.read.reader import Reader
from gateway.testing.engine.given.entries import entry, kept, key, row
from tests.storage.stores import counted, opened, query

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


def sizes(path: Path) -> dict[str, int]:
    return {str(project): int(str(size)) for project, size in query(path, "SELECT * FROM quarantine_sizes")}


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
