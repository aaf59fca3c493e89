"""A file of an older gateway: upgraded with everything in it, and readable before that."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.datadir import DataDirError, find
from gateway.storage.contract import Appended, AppendStatus, QuarantinedItem
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.sqlite.read.quarantine import quarantine_ids, quarantine_record
from gateway.storage.sqlite.read.reader import Reader
from gateway.storage.sqlite.tables import UPGRADES, VERSION
from gateway.testing.engine.given.entries import body, claim, entry, key, row, stored_items
from tests.storage.stores import opened, query, stored

FIRST = b'[["stored", "first", []]]'


def older(path: Path) -> None:
    """Create a file with the first schema and something in every table."""
    path.mkdir()
    with closing(sqlite3.connect(path / "events.db")) as connection, connection:
        for statement in UPGRADES[0]:
            connection.execute(statement)
        connection.execute("INSERT INTO events VALUES (1, ?, ?)", (key("a"), body("a").decode()))
        connection.execute("INSERT INTO quarantine VALUES (1, 'q', 5, 'p', 'toy', 'track', '[]', '{}')")
        connection.execute("INSERT INTO counters VALUES ('p', 'toy', 'received', 2), ('p', 'toy', 'stored', 1)")
        connection.execute("INSERT INTO counters VALUES ('p', 'toy', 'quarantined', 1)")
        for table, name in (("claims_current", "k"), ("claims_previous", "l")):
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (name.encode(), b"same", FIRST))
        connection.execute("PRAGMA user_version = 1")


async def test_an_older_file_is_upgraded_with_everything_in_it(tmp_path: Path) -> None:
    older(tmp_path / "data")
    async with opened(tmp_path / "data") as (storage, _):
        assert await storage.append(entry(row("a"), row("b"))) == Appended(AppendStatus.NEW, duplicates=(0,))
        for name in ("k", "l"):
            replayed = await storage.append(entry(idempotency=claim(name)))
            assert (replayed, replayed.receipt) == (Appended(AppendStatus.REPLAYED, outcomes=stored_items("first")), 0)
        held = QuarantinedItem("c", b"[]", b"{}", key("c"))
        assert await storage.append(entry(quarantined=(held,))) == Appended(AppendStatus.NEW)

    assert query(tmp_path / "data", "PRAGMA user_version") == [(VERSION,)]
    assert stored(tmp_path / "data") == [body("a"), body("b")]
    with Reader(find(tmp_path / "data")) as reader:
        before = QuarantineRecord(1, "q", 5, "p", "toy", "track", "quarantined", None, None, "[]", "{}", None)
        assert (quarantine_record(reader, 1), list(quarantine_ids(reader, "quarantined"))) == (before, [1, 2])


async def test_an_older_file_is_read_but_not_for_what_only_a_newer_one_has(tmp_path: Path) -> None:
    older(tmp_path / "data")
    assert stored(tmp_path / "data") == [body("a")]
    older_gateway = "was written by an older gateway; `gateway serve` upgrades it$"
    with Reader(find(tmp_path / "data")) as reader, pytest.raises(DataDirError, match=older_gateway):
        next(reader.quarantine())
