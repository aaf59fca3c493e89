"""The backups that a store remembers, on either engine."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from gateway.storage.engines import open_store
from gateway.storage.sqlite.keys.key_file import KeyFile
from gateway.storage.store import MOST_BACKUPS, Backup, Store


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path, prepared: str) -> Store:
    return open_store(f"sqlite:{tmp_path}" if request.param == "SQLite" else prepared)


async def test_a_backup_is_listed_until_it_is_removed_and_the_oldest_are_forgotten(store: Store) -> None:
    one, two = Backup(name="/a.tar", made_at=5), Backup(name="/b.tar", made_at=4, events=7)
    assert await store.backups() == []
    await store.add_backup(one)
    await store.add_backup(two)
    assert await store.backups() == [two, one]
    whole = Backup(name="/a.tar", made_at=5, events=9)
    await store.add_backup(whole)
    assert await store.backups() == [two, whole]
    await store.remove_backup(two)
    await store.remove_backup(two)
    assert await store.backups() == [whole]


async def test_only_the_last_are_remembered(tmp_path: Path) -> None:
    store = open_store(f"sqlite:{tmp_path}")
    await store.add_backup(Backup(name="/0.tar", made_at=0))
    with contextlib.closing(sqlite3.connect(tmp_path / "keys.db")) as file, file:
        rows = [(f"/{number}.tar", number) for number in range(1, MOST_BACKUPS)]
        file.executemany("INSERT INTO backups (name, made_at) VALUES (?, ?)", rows)
    assert len(await store.backups()) == MOST_BACKUPS
    newest = Backup(name="/new.tar", made_at=MOST_BACKUPS)
    await store.add_backup(newest)
    found = await store.backups()
    assert (len(found), found[0].name, found[-1]) == (MOST_BACKUPS, "/1.tar", newest)


async def test_a_key_file_of_an_older_gateway_lists_none_and_is_upgraded_by_the_first(tmp_path: Path) -> None:
    KeyFile.open(tmp_path / "keys.db", make=True).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "keys.db")) as file:
        file.execute("DROP TABLE backups")
        file.execute("PRAGMA user_version = 2")
    store, backup = open_store(f"sqlite:{tmp_path}"), Backup(name="/a.tar", made_at=1)
    assert await store.backups() == []
    await store.add_backup(backup)
    assert await store.backups() == [backup]
