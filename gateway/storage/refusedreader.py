"""Reads the ring of refused requests, and marks those that were replayed."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.storage.base import Raw
from gateway.storage.datadir import DataDirError
from gateway.storage.heldreader import HeldItem
from gateway.storage.refused import VERSION, connected

LISTED = "id, received_at, project, dialect, route, reason, status, method, path, client_ip, cut, replayed, faults"
LIST = f"SELECT {LISTED} FROM refused WHERE id > ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id LIMIT 500"  # noqa: S608
ONE = f"SELECT {LISTED}, CAST(query AS BLOB), CAST(headers AS BLOB), body, site FROM refused WHERE id = ?"  # noqa: S608
MARK = "UPDATE refused SET replayed = ? WHERE id = ?"


def refused(path: Path, project: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield refused requests by column name, oldest first; `faults` is JSON. Raises DataDirError."""
    after = 0
    while True:
        with _reading(path) as connection:
            page = [_named(row) for row in connection.execute(LIST, (after, project))] if connection else []
        yield from page
        if len(page) < 500:
            return
        after = page[-1]["id"]


def refused_one(path: Path, number: int) -> tuple[dict[str, Any], Raw] | None:
    """Return one refused request and how it came; None where it is not there any more. Raises DataDirError."""
    with _reading(path) as connection:
        row = connection.execute(ONE, (number,)).fetchone() if connection else None
    if row is None:
        return None
    known = _named(row[:-4])
    query, headers, body, site = row[-4:]
    return known, Raw(known["method"], known["path"], query, headers, body, known["client_ip"], site)


def counts(path: Path) -> list[tuple[str, str, int]]:
    """Return how many items were refused by project (empty: nobody's) and dialect. Raises DataDirError."""
    with _reading(path) as connection:
        return [] if connection is None else connection.execute("SELECT * FROM counts ORDER BY 1, 2").fetchall()


def mark(path: Path, number: int, how: str) -> None:
    """Note how a request was replayed."""
    with connected(path) as connection:
        connection.execute(MARK, (how, number))


def as_held(known: dict[str, Any], raw: Raw, index: int, message_id: str) -> HeldItem:
    """Return one item of a refused request as if it had been held."""
    whose = (known["project"], known["dialect"], known["route"] or "")
    return HeldItem(0, message_id, known["received_at"], *whose, "refused", index, None, "[]", "null", raw)


def _named(row: tuple[Any, ...]) -> dict[str, Any]:
    named = dict(zip(LISTED.split(", "), row, strict=True))
    return {**named, "cut": bool(named["cut"])}


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open the file for reading; None where nothing was ever refused."""
    if not path.exists():
        yield None
        return
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            raise DataDirError(f"{path} was written by a newer gateway; upgrade this one")
        yield connection if found else None
    finally:
        connection.close()
