"""Reads kept requests beside the events that came of them, and rewrites those events. For the holder of the lock."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway import sqlite_file
from gateway.dialect.value_class import value_class
from gateway.records.raw_request import RawRequest, decompress
from gateway.storage.sqlite.chunks import events
from gateway.storage.sqlite.read.log import Reader

PAGE = (
    "SELECT w.receipt, w.packed, r.received_at, s.project, s.dialect, s.route, r.position, r.count, r.outcomes "
    "FROM raws w JOIN receipts r ON r.id = w.receipt JOIN streams s ON s.id = r.stream "
    "WHERE w.receipt > ?1 AND (?2 IS NULL OR s.project = ?2) ORDER BY w.receipt LIMIT 100"
)
REPLAYED = "SELECT position FROM settled WHERE id = ? AND verdict = 'stored'"
CHUNK = "SELECT last, CAST(lines AS BLOB) FROM log WHERE last >= ? ORDER BY last LIMIT 1"
REWRITE = "UPDATE log SET lines = CAST(? AS TEXT) WHERE last = ?"


@value_class
class KeptRequest:
    """One request and the events that came of it: by the item's place, the event's position and its line."""

    receipt: int
    received_at: int
    project: str
    dialect: str
    route: str
    raw: RawRequest
    events: Mapping[int, tuple[int, bytes]]


def kept_requests(reader: Reader, project: str | None = None) -> Iterator[KeptRequest]:
    """Yield the kept requests, oldest first."""
    after = 0
    while page := reader.ask(PAGE, after, project):
        for receipt, packed, received_at, whose, dialect, route, position, count, outcomes in page:
            after = receipt
            places = _places(reader, position, count, outcomes)
            bodies = dict(event for place in places.values() for event in reader.some(place, 1))
            events = {index: (place, bodies[place]) for index, place in places.items() if place in bodies}
            yield KeptRequest(receipt, received_at, whose, dialect, route, decompress(packed), events)


def rewrite(path: Path, changes: list[tuple[int, bytes, bytes]]) -> int:
    """Put new lines at positions where the old ones still stand, all in one transaction; return how many did."""
    with sqlite_file.connected(path, "rw") as file:
        file.execute("PRAGMA synchronous = FULL")
        with sqlite_file.transaction(file):
            return sum(_rewrite(file, *change) for change in changes)


def _rewrite(file: sqlite3.Connection, position: int, old: bytes, new: bytes) -> bool:
    for last, lines in file.execute(CHUNK, (position,)).fetchall():
        chunk = dict(events(last, lines))
        if chunk.get(position) == old:
            chunk[position] = new
            file.execute(REWRITE, (b"\n".join(chunk.values()), last))
            return True
    return False


def _places(reader: Reader, position: int, count: int, outcomes: str | None) -> dict[int, int]:
    """Return where the events of a request's items lie; items that are none are left out."""
    if outcomes is None:
        return {index: position + index for index in range(count)}
    places: dict[int, int] = {}
    for index, item in enumerate(json.loads(outcomes)):
        if "position" in item:
            places[index] = item["position"]
        elif "quarantine" in item:
            for (place,) in reader.ask(REPLAYED, item["quarantine"]):
                places[index] = place
    return places
