"""Reads the kept requests with the events that they became, and rewrites those events."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.records.raw_request import decompress
from gateway.storage.outcomes_json import decode_receipt
from gateway.storage.read import Position
from gateway.storage.records import RawEvents
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.log.rewriting import rewrite_lines
from gateway.storage.sqlite.read.reader import Reader

PAGE = (
    "SELECT w.receipt, w.packed, r.received_at, s.project, s.dialect, s.route, r.position, r.count, r.outcomes "
    "FROM raws w JOIN receipts r ON r.id = w.receipt JOIN streams s ON s.id = r.stream "
    "WHERE w.receipt > ?1 AND (?2 IS NULL OR s.project = ?2) ORDER BY w.receipt LIMIT 100"
)
REPLAYED = "SELECT position FROM settled WHERE id = ? AND verdict = 'stored'"


def kept_requests(reader: Reader, project: str | None = None) -> Iterator[RawEvents]:
    """Yield the requests that `[storage] keep_raw_days` keeps, oldest first. Raises DataDirError."""
    after = 0
    while page := reader.query(PAGE, after, project):
        for receipt, compressed, received_at, owner, dialect, route, position, count, outcomes in page:
            after = receipt
            positions = _positions(reader, position, count, outcomes)
            lines = dict(reader.events_at(list(positions.values())))
            yield RawEvents(
                receipt=receipt,
                received_at=received_at,
                project=owner,
                dialect=dialect,
                route=route,
                raw=decompress(compressed),
                events={index: (each, lines[each]) for index, each in positions.items() if each in lines},
            )


def rewrite(path: Path, changes: Sequence[tuple[Position, bytes, bytes]]) -> int:
    """Replace lines in one transaction, and return how many were replaced. Only the holder of the lock may call this.

    `changes` is a list of `(position, old line, new line)`. An event that no longer has its old line stays as it is.
    Raises sqlite3.Error.
    """
    with sqlite_file.connected(path, "rw") as file:
        file.execute("PRAGMA synchronous = FULL")
        file.execute("PRAGMA secure_delete = FAST").fetchall()
        with sqlite_file.transaction(file):
            by_position = {int(position): (old, new) for position, old, new in changes}
            return len(rewrite_lines(file, by_position, compress=False))


def _positions(reader: Reader, position: int, count: int, outcomes: str | bytes | None) -> dict[int, int]:
    """Return the positions of a request's events by the item's index; items that are not events are left out."""
    if outcomes is None:
        return {index: position + index for index in range(count)}
    positions: dict[int, int] = {}
    for index, item in enumerate(decode_receipt(outcomes)):
        if "position" in item:
            positions[index] = item["position"]
        elif "quarantine" in item:
            for (found,) in reader.query(REPLAYED, item["quarantine"]):
                positions[index] = found
    return positions
