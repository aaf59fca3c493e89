"""The table `backups` in keys.db. Synchronous: each call takes a few milliseconds. See `Store.backups`."""

import sqlite3
from pathlib import Path

from gateway.keys.credential import KeyFileError
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.keys import tables
from gateway.storage.sqlite.keys.key_file import KeyFile
from gateway.storage.store import MOST_BACKUPS, Backup

SELECT = "SELECT name, made_at, events FROM backups ORDER BY made_at, name"
ADD = "INSERT OR REPLACE INTO backups (name, made_at, events) VALUES (?, ?, ?)"
FORGET = "DELETE FROM backups WHERE made_at < (SELECT made_at FROM backups ORDER BY made_at DESC LIMIT 1 OFFSET ?)"
REMOVE = "DELETE FROM backups WHERE name = ? AND made_at = ?"
SINCE = 3
"""The first version of the file that has the table."""


def backups(path: Path) -> list[Backup]:
    """Return those that are remembered, oldest first. Raises KeyFileError."""
    if not path.exists():
        return []
    try:
        with sqlite_file.connected(path, "ro", timeout=tables.BUSY_SECONDS) as file:
            if sqlite_file.version(file, path, tables.VERSION) < SINCE:
                return []
            rows = file.execute(SELECT).fetchall()
    except sqlite3.Error as error:
        raise KeyFileError(f"cannot read {path}: {error}") from error
    return [Backup(name=name, made_at=made_at, events=events) for name, made_at, events in rows]


def add(path: Path, backup: Backup) -> None:
    """Remember a backup, and forget the oldest beyond MOST_BACKUPS. Makes a missing file. Raises KeyFileError."""
    _write(path, (ADD, (backup.name, backup.made_at, backup.events)), (FORGET, (MOST_BACKUPS - 1,)))


def remove(path: Path, backup: Backup) -> None:
    """Forget a backup. Raises KeyFileError."""
    _write(path, (REMOVE, (backup.name, backup.made_at)))


def _write(path: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    with KeyFile.open(path, make=True):  # makes it, or says in one line why it cannot
        pass
    try:
        with sqlite_file.connected(path, "rw", timeout=tables.BUSY_SECONDS) as file:
            file.execute("PRAGMA synchronous = FULL")
            with sqlite_file.transaction(file):
                tables.upgrade(file, path)
                for statement, values in statements:
                    file.execute(statement, values)
    except sqlite3.Error as error:
        raise KeyFileError(f"cannot write {path}: {error}") from error
