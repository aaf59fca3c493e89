"""The one place that opens SQLite files: creating, connecting, the schema version, transactions. No tables here."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.datadir import DataDirError, created_atomically


def uri(path: Path, mode: str) -> str:
    """Return a file as SQLite's URI; `mode` is `ro` or `rw`. Neither mode creates a missing file."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def create(path: Path, tables: str, version: int) -> None:
    """Create a file in WAL mode with the tables of an SQL script and a schema version, readable by this user only.

    The file appears whole or not at all. If another process creates it at the same time, the first one's stays. Raises
    OSError and sqlite3.Error.
    """
    with created_atomically(path) as part, contextlib.closing(sqlite3.connect(part, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode = WAL").fetchall()
        file.execute("PRAGMA synchronous = FULL")
        file.executescript(tables)
        set_version(file, version)


def connect(path: Path, mode: str, *, timeout: float = 5.0) -> sqlite3.Connection:
    """Return a connection that begins no transactions by itself.

    `timeout` is how many seconds to wait for another process's lock. Raises sqlite3.Error.
    """
    return sqlite3.connect(uri(path, mode), uri=True, timeout=timeout, isolation_level=None)


@contextlib.contextmanager
def connected(path: Path, mode: str, *, timeout: float = 5.0) -> Iterator[sqlite3.Connection]:
    """Connect, and close at the end of the block; what is not committed by then is rolled back."""
    with contextlib.closing(connect(path, mode, timeout=timeout)) as connection:
        yield connection


def connect_checked(path: Path, mode: str, newest: int, *, timeout: float = 5.0) -> tuple[sqlite3.Connection, int]:
    """Connect, and return the connection with the file's schema version, which is 0 for an empty file.

    Raises DataDirError on a version above `newest`, and sqlite3.Error.
    """
    connection = connect(path, mode, timeout=timeout)
    try:
        return connection, version(connection, path, newest)
    except BaseException:
        connection.close()
        raise


def version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """Return a file's schema version. Raises DataDirError on a version above `newest`."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > newest:
        raise DataDirError(
            f"{path} was written by a newer gateway (schema {found}, this one knows {newest}); upgrade this one"
        )
    return found


def set_version(connection: sqlite3.Connection, version: int) -> None:
    """Set a file's schema version, as part of the open transaction if there is one."""
    connection.execute(f"PRAGMA user_version = {version}")


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


@contextlib.contextmanager
def overwriting(connection: sqlite3.Connection) -> Iterator[None]:
    """Overwrite whatever is deleted, whole pages too, also inside an open transaction.

    `secure_delete = FAST` leaves a page as it was until it is used again. Within the same transaction that may be as
    the first half of a table's root that grew too large, and SQLite fills only a part of such a page: the rest of what
    was deleted would stay there for ever.
    """
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    try:
        yield
    finally:
        connection.execute("PRAGMA secure_delete = FAST").fetchall()
