"""The backups that SQLite remembers: how many, and in a file of an older gateway. The kit has the rest."""

import contextlib
import sqlite3
from pathlib import Path

from gateway.storage.engines import open_store
from gateway.storage.sqlite.keys.key_file import KeyFile
from gateway.storage.store import MOST_BACKUPS, Backup


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
