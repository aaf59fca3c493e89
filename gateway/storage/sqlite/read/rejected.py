"""Reads the log of rejected requests, and marks those that were replayed."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from gateway import sqlite_file
from gateway.datadir import DataDir
from gateway.records.raw_request import RawRequest
from gateway.storage.sqlite.read.quarantine import QuarantineRecord
from gateway.storage.sqlite.rejected_log import BUSY_SECONDS, OLDER_NAME, VERSION

PAGE = 500
LISTED = "id, received_at, project, dialect, route, reason, status, method, path, client_ip, cut, replayed, faults"
LIST = f"SELECT {LISTED} FROM rejected WHERE id > ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id LIMIT {PAGE}"  # noqa: S608
ONE = f"SELECT {LISTED}, CAST(query AS BLOB), CAST(headers AS BLOB), body, site FROM rejected WHERE id = ?"  # noqa: S608
MARK = "UPDATE rejected SET replayed = ? WHERE id = ?"


class _File:
    """The file, open; of an older gateway's, which a server renames at its next start, the table has another name."""

    def __init__(self, connection: sqlite3.Connection, version: int) -> None:
        self._connection = connection
        self._version = version

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        if self._version < VERSION:
            statement = statement.replace("rejected", "refused")
        return self._connection.execute(statement, values).fetchall()


def rejected_requests(directory: DataDir, project: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield rejected requests by column name, oldest first; `faults` is JSON. Raises DataDirError."""
    after = 0
    while True:
        with _open(directory) as file:
            page = [_named(row) for row in file.ask(LIST, after, project)] if file else []
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["id"]


def rejected_request(directory: DataDir, number: int) -> tuple[dict[str, Any], RawRequest] | None:
    """Return one rejected request by column name, and how it came; None where it is gone. Raises DataDirError."""
    with _open(directory) as file:
        rows = file.ask(ONE, number) if file else []
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
    """Return how many items were rejected: (project, dialect, count); an empty project is a stranger's.

    Raises DataDirError.
    """
    with _open(directory) as file:
        return [] if file is None else file.ask("SELECT project, dialect, count FROM counts ORDER BY 1, 2")


def mark(directory: DataDir, number: int, how: str) -> None:
    """Note how a request was replayed."""
    with _open(directory, "rw") as file:
        if file is not None:
            file.ask(MARK, how, number)


def as_quarantined(known: dict[str, Any], raw: RawRequest, index: int, message_id: str) -> QuarantineRecord:
    """Return one item of a rejected request as if it had been quarantined."""
    return QuarantineRecord(
        number=0,
        message_id=message_id,
        received_at=known["received_at"],
        project=known["project"],
        dialect=known["dialect"],
        route=known["route"] or "",
        verdict="rejected",
        index=index,
        receipt=None,
        faults="[]",
        payload="null",
        raw=raw,
    )


def _named(row: tuple[Any, ...]) -> dict[str, Any]:
    named = dict(zip(LISTED.split(", "), row, strict=True))
    return {**named, "cut": bool(named["cut"])}


@contextlib.contextmanager
def _open(directory: DataDir, mode: str = "ro") -> Iterator[_File | None]:
    """Open the file; None where nothing was ever rejected."""
    older = directory.path / OLDER_NAME
    path = older if older.exists() and not directory.rejected.exists() else directory.rejected
    if not path.exists():
        yield None
        return
    with sqlite_file.connected(path, mode, timeout=BUSY_SECONDS) as connection:
        version = sqlite_file.version(connection, path, VERSION)
        yield _File(connection, version) if version else None
