"""Reads the file of rejected requests and of uses of credentials, and marks requests that were replayed.

It is written in rejected_file.py and credential_uses.py.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from gateway.datadir import DataDir
from gateway.records.raw_request import RawRequest
from gateway.storage.records import CredentialUse, NewRows
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.rejected_file import BUSY_SECONDS, OLDER_NAME, VERSION

PAGE = 500
SINCE_VERSION_3 = "credential_id, origin, request_id"
NULLS = ", ".join([f"NULL AS {name}" for name in SINCE_VERSION_3.split(", ")])
LISTED = (
    f"id, received_at, project, dialect, route, reason, status, method, path, client_ip, {SINCE_VERSION_3}, cut, "
    "replayed, faults"
)
LIST = f"SELECT {LISTED} FROM rejected WHERE id > ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id LIMIT {PAGE}"  # noqa: S608
NEWEST = "SELECT coalesce(max(id), 0) FROM rejected"
SINCE = "SELECT coalesce(max(id), ?1), count(*) FROM rejected WHERE id > ?1"
LAST = f"SELECT {LISTED} FROM rejected WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT ?"  # noqa: S608
ONE = f"SELECT {LISTED}, CAST(query AS BLOB), CAST(headers AS BLOB), body, site FROM rejected WHERE id = ?"  # noqa: S608
BUCKETS = "SELECT start, project, dialect, count FROM count_buckets WHERE span = ? AND start >= ? ORDER BY 1, 2, 3"
USES = (
    "SELECT credential, max(last_used), sum(CASE day WHEN ?1 THEN requests ELSE 0 END), "
    "sum(CASE day WHEN ?1 THEN rejected ELSE 0 END) FROM credential_uses GROUP BY credential"
)
BY_PROJECT = (
    "SELECT project, dialect, sum(count) FROM count_buckets WHERE span = ?1 AND start >= ?2 "
    "AND start < coalesce(?3, 9223372036854775807) AND (?4 IS NULL OR project = ?4) GROUP BY 1, 2"
)
MARK = "UPDATE rejected SET replayed = ? WHERE id = ? AND replayed IS NULL"


class OpenRejected:
    """The open file. Older versions, which the next server start upgrades, lack some columns.

    In the first version, the table is called `refused`.
    """

    def __init__(self, connection: sqlite3.Connection, version: int) -> None:
        self._connection = connection
        self.version = version

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Raises sqlite3.Error."""
        if self.version < 3:
            statement = statement.replace(SINCE_VERSION_3, NULLS)
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
        with opened(directory) as file:
            page = [named(row) for row in file.query(LIST, after, project)] if file else []
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["id"]


def new_rejected(directory: DataDir, mark: int | None, most: int) -> NewRows:
    """See Records. Raises DataDirError."""
    with opened(directory) as file:
        if file is None:
            return NewRows(0, (), 0)
        if mark is None:
            [(newest,)] = file.query(NEWEST)
            return NewRows(newest, (), 0)
        [(newest, count)] = file.query(SINCE, mark)
        rows = file.query(LAST, mark, newest, most) if count else []
    return NewRows(newest, [named(row) for row in reversed(rows)], count)


def rejected_request(directory: DataDir, number: int) -> tuple[dict[str, Any], RawRequest] | None:
    """Return a rejected request, as in `rejected_requests` and as it came; None if it is gone. Raises DataDirError."""
    with opened(directory) as file:
        rows = file.query(ONE, number) if file else []
    if not rows:
        return None
    known = named(rows[0][:-4])
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
    with opened(directory) as file:
        return [] if file is None else file.query("SELECT project, dialect, count FROM counts ORDER BY 1, 2")


def count_buckets(directory: DataDir, span: int, since: int) -> list[tuple[int, str, str, int]]:
    """Return how many items were rejected by time: `(start, project, dialect, count)`, the oldest first.

    These are the buckets of a span that start at `since` or later; all times are in seconds, starts since the epoch.
    The list is empty for a file of an older gateway. Raises DataDirError.
    """
    with opened(directory) as file:
        return [] if file is None or file.version < 4 else file.query(BUCKETS, span, since)


def credential_uses(directory: DataDir, day: int) -> dict[str, CredentialUse]:
    """Return the uses of each credential, as Records does. A file of an older gateway has none. Raises DataDirError."""
    with opened(directory) as file:
        rows = [] if file is None or file.version < 5 else file.query(USES, day)
    return {credential_id: CredentialUse(*use) for credential_id, *use in rows}


def counts_by_project(
    directory: DataDir, span: int, since: int, before: int | None, project: str | None
) -> list[tuple[str, str, int]]:
    """Return the sums of the buckets from a time on: `(project, dialect, count)`. Raises DataDirError."""
    with opened(directory) as file:
        return [] if file is None or file.version < 4 else file.query(BY_PROJECT, span, since, before, project)


def mark(directory: DataDir, number: int, how: str) -> None:
    """Write beside a request how its replay ended, in a few words. Raises DataDirError and sqlite3.Error."""
    with opened(directory, "rw") as file:
        if file is not None:
            file.query(MARK, how, number)


def named(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a row of LISTED as a dict by column name."""
    known = dict(zip(LISTED.split(", "), row, strict=True))
    return {**known, "cut": bool(known["cut"])}


@contextlib.contextmanager
def opened(directory: DataDir, mode: str = "ro") -> Iterator[OpenRejected | None]:
    """Open the file; yield None if nothing was ever rejected."""
    older = directory.path / OLDER_NAME
    path = older if older.exists() and not directory.rejected.exists() else directory.rejected
    if not path.exists():
        yield None
        return
    with sqlite_file.connected(path, mode, timeout=BUSY_SECONDS) as connection:
        version = sqlite_file.version(connection, path, VERSION)
        yield OpenRejected(connection, version) if version else None
