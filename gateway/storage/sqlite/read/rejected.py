"""Reads the log of rejected requests, and marks those that were replayed. It is written in rejected_file.py."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from gateway.datadir import DataDir
from gateway.records.raw_request import RawRequest
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.rejected_file import BUSY_SECONDS, OLDER_NAME, VERSION

PAGE = 500
SINCE_VERSION_3 = "credential_id, origin, request_id"
LISTED = (
    f"id, received_at, project, dialect, route, reason, status, method, path, client_ip, {SINCE_VERSION_3}, cut, "
    "replayed, faults"
)
LIST = f"SELECT {LISTED} FROM rejected WHERE id > ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id LIMIT {PAGE}"  # noqa: S608
ONE = f"SELECT {LISTED}, CAST(query AS BLOB), CAST(headers AS BLOB), body, site FROM rejected WHERE id = ?"  # noqa: S608
BUCKETS = "SELECT start, project, dialect, count FROM count_buckets WHERE span = ? AND start >= ? ORDER BY 1, 2, 3"
MARK = "UPDATE rejected SET replayed = ? WHERE id = ?"


class _RejectedFile:
    """An open file. Older versions, which the next server start upgrades, lack some columns.

    In the first version, the table is called `refused`.
    """

    def __init__(self, connection: sqlite3.Connection, version: int) -> None:
        self._connection = connection
        self.version = version

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        if self.version < 3:
            statement = statement.replace(SINCE_VERSION_3, "NULL, NULL, NULL")
        if self.version < 2:
            statement = statement.replace("rejected", "refused")
        return self._connection.execute(statement, values).fetchall()


def rejected_requests(directory: DataDir, project: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield rejected requests as dicts by column name (see LISTED), oldest first. Raises DataDirError.

    A request that named a known credential, valid or not, has its `project` and `credential_id`. `received_at` is in
    milliseconds since the epoch, `faults` a JSON text.
    """
    after = 0
    while True:
        with _open(directory) as file:
            page = [_named(row) for row in file.query(LIST, after, project)] if file else []
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["id"]


def rejected_request(directory: DataDir, number: int) -> tuple[dict[str, Any], RawRequest] | None:
    """Return a rejected request, as in `rejected_requests` and as it came; None if it is gone. Raises DataDirError."""
    with _open(directory) as file:
        rows = file.query(ONE, number) if file else []
    if not rows:
        return None
    known = _named(rows[0][:-4])
    query, headers, body, site = rows[0][-4:]
    raw = RawRequest(
        method=known["method"],
        path=known["path"],
        query=query,
        headers=headers,
        body=body,
        client_ip=known["client_ip"],
        site=site,
    )
    return known, raw


def counts(directory: DataDir) -> list[tuple[str, str, int]]:
    """Return how many items were rejected, as a list of `(project, dialect, count)`. Raises DataDirError.

    The project is empty if it is not known.
    """
    with _open(directory) as file:
        return [] if file is None else file.query("SELECT project, dialect, count FROM counts ORDER BY 1, 2")


def count_buckets(directory: DataDir, span: int, since: int) -> list[tuple[int, str, str, int]]:
    """Return how many items were rejected by time: `(start, project, dialect, count)`, the oldest first.

    These are the buckets of a span that start at `since` or later; all times are in seconds, starts since the epoch.
    The list is empty for a file of an older gateway. Raises DataDirError.
    """
    with _open(directory) as file:
        return [] if file is None or file.version < 4 else file.query(BUCKETS, span, since)


def mark(directory: DataDir, number: int, how: str) -> None:
    """Write beside a request how its replay ended, in a few words. Raises DataDirError and sqlite3.Error."""
    with _open(directory, "rw") as file:
        if file is not None:
            file.query(MARK, how, number)


def _named(row: tuple[Any, ...]) -> dict[str, Any]:
    named = dict(zip(LISTED.split(", "), row, strict=True))
    return {**named, "cut": bool(named["cut"])}


@contextlib.contextmanager
def _open(directory: DataDir, mode: str = "ro") -> Iterator[_RejectedFile | None]:
    """Open the file; yield None if nothing was ever rejected."""
    older = directory.path / OLDER_NAME
    path = older if older.exists() and not directory.rejected.exists() else directory.rejected
    if not path.exists():
        yield None
        return
    with sqlite_file.connected(path, mode, timeout=BUSY_SECONDS) as connection:
        version = sqlite_file.version(connection, path, VERSION)
        yield _RejectedFile(connection, version) if version else None
