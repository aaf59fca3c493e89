"""The keys of a version 2 file are moved into buckets when it is opened."""

import sqlite3
from pathlib import Path

from gateway.storage.sqlite.dedupe.known_keys import KnownKeys
from gateway.storage.sqlite.tables import UPGRADES, upgrade
from gateway.testing.engine.given.entries import key


def test_the_keys_of_an_older_file_are_found_where_they_are_looked_for(tmp_path: Path) -> None:
    old = sqlite3.connect(":memory:", isolation_level=None)
    for statement in (statement for step in UPGRADES[:2] for statement in step):
        old.execute(statement)
    old.execute("PRAGMA user_version = 2")
    old.executemany("INSERT INTO seen_current VALUES (?)", [(key(number),) for number in range(1000)])
    old.executemany("INSERT INTO seen_previous VALUES (?)", [(key(number),) for number in range(900, 1500)])
    upgrade(old, Path("memory"))
    known_keys = KnownKeys()
    known_keys.load(old, 0, 0, tmp_path)

    assert known_keys.find(old, [key(number) for number in range(2000)]) == {key(number) for number in range(1500)}
    assert old.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'keys%'").fetchall() == []
    old.close()
