"""The quarantine of a version 5 file: every item moves, with its number, request and key, whatever interrupts."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.datadir import find
from gateway.storage.contract import Appended, AppendStatus, QuarantinedItem
from gateway.storage.sqlite import tables
from gateway.storage.sqlite.migrate_v5 import migrate_v5
from gateway.storage.sqlite.read.quarantine import quarantine_record
from gateway.storage.sqlite.read.reader import Reader
from gateway.testing.engine.given.entries import entry, key
from tests.storage.stores import opened, query


def older(path: Path) -> None:
    """Create a file of version 5 with three requests: one of an even older gateway, one with items that have ended."""
    path.mkdir()
    with closing(sqlite3.connect(path / "events.db")) as file, file:
        for step in tables.UPGRADES[:5]:
            for statement in step:
                file.execute(statement)
        held = "INSERT INTO quarantine VALUES (?, ?, 5, 'p', 'toy', 'track', '[]', ?, 'quarantined', ?, ?, ?)"
        file.execute(held, (1, "old", '{"n":1}', None, None, None))
        for number, name, index, receipt in ((2, "a", 0, 100), (5, "b", 3, 100), (7, "c", 0, 101)):
            file.execute(held, (number, name, f'{{"n":{number}}}', key(name), index, receipt))
        for receipt in (100, 101):
            file.execute(
                "INSERT INTO requests VALUES (?, 'POST', '/batch', '{}', '{}', ?, '192.0.2.1', NULL)",
                (receipt, b"body \xff %d" % receipt),
            )
        for number in (3, 4, 6, 8):
            file.execute("INSERT INTO settled VALUES (?, 'dropped', NULL, 5)", (number,))
        file.execute("PRAGMA user_version = 5")


@pytest.mark.parametrize("interrupted", [False, True])
async def test_every_item_is_there_as_it_was(tmp_path: Path, interrupted: bool) -> None:
    older(tmp_path / "data")
    if interrupted:  # as by a kill after the first transaction: the tables are renamed, some items have moved
        with closing(sqlite3.connect(tmp_path / "data" / "events.db", isolation_level=None)) as file:
            tables.upgrade(file, tmp_path / "data" / "events.db")
            file.execute(
                "CREATE TRIGGER cut BEFORE DELETE ON quarantine_v5 WHEN old.id > 1 BEGIN SELECT raise(abort, ''); END"
            )
            with pytest.raises(sqlite3.IntegrityError):
                migrate_v5(file, lambda found: found[:8], most=1)
            file.execute("DROP TRIGGER cut")
            assert file.execute("SELECT count(*) FROM quarantine_v5").fetchone() == (3,)
    async with opened(tmp_path / "data") as (storage, _):
        again = QuarantinedItem("b", b"[]", b"{}", key("b"))
        seen = Appended(AppendStatus.NEW, duplicates=(0,))
        assert await storage.append(entry(quarantined=(again,))) == seen
        new = QuarantinedItem("d", b"[]", b"{}", key("d"))
        assert await storage.append(entry(quarantined=(new,))) == Appended(AppendStatus.NEW)

    with Reader(find(tmp_path / "data")) as reader:
        assert [(row["id"], row["message_id"], row["item"], row["payload"]) for row in reader.quarantine()] == [
            (1, "old", None, '{"n":1}'),
            (2, "a", 0, '{"n":2}'),
            (5, "b", 3, '{"n":5}'),
            (7, "c", 0, '{"n":7}'),
            (9, "d", 0, "{}"),
        ]
        records = [quarantine_record(reader, number) for number in (1, 2, 3, 5, 7)]
    bodies = [None if record is None or record.raw is None else record.raw.body for record in records]
    assert bodies == [None, b"body \xff 100", None, b"body \xff 100", b"body \xff 101"]
    assert query(tmp_path / "data", "SELECT name FROM sqlite_schema WHERE name LIKE '%v5'") == []
    assert query(tmp_path / "data", "SELECT sum(size) FROM quarantined_requests") == query(
        tmp_path / "data", "SELECT bytes FROM quarantine_sizes"
    )
    assert query(tmp_path / "data", "SELECT id FROM quarantine ORDER BY 1") == [(1,), (2,), (5,), (7,), (9,)]
