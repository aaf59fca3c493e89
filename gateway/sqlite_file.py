"""The one place that opens SQLite files: making them whole, opening them, and their schema version. No tables here."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.datadir import DataDirError, appearing

DatabaseError = sqlite3.Error
"""For callers that report it in one line and have no other business with sqlite3."""


def uri(path: Path, mode: str) -> str:
    """Return a file as SQLite's URI; `mode` is `ro` or `rw`: neither makes a file that is not there."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def make(path: Path, tables: str) -> None:
    """Make a file with the tables of an SQL script, readable by this user alone. It appears whole or not at all.

    The script sets `user_version`. The file is in WAL mode. Where another process makes it at the same time, the first
    one's stays. Raises OSError and sqlite3.Error.
    """
    with appearing(path) as part, contextlib.closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(tables)


def connect(path: Path, mode: str, *, timeout: float = 5.0) -> sqlite3.Connection:
    """Return a connection without transactions of its own; `timeout` is in seconds. Raises sqlite3.Error."""
    return sqlite3.connect(uri(path, mode), uri=True, timeout=timeout, isolation_level=None)


@contextlib.contextmanager
def connected(path: Path, mode: str, *, timeout: float = 5.0) -> Iterator[sqlite3.Connection]:
    """Open a connection and close it at the end; what is not committed by then is rolled back."""
    with contextlib.closing(connect(path, mode, timeout=timeout)) as connection:
        yield connection


def version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """Return a file's schema version. Raises DataDirError on one that is newer than `newest`."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > newest:
        raise DataDirError(
            f"{path} was written by a newer gateway (schema {found}, this one knows {newest}); upgrade this one"
        )
    return found


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one transaction that holds the write lock from the start; any exception rolls it back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
