"""What a receipt tells of a request that was not plainly stored, one item after the other. Pure."""

import json
from collections.abc import Sequence

import attrs
import orjson

from gateway.storage.contract import Entry


@attrs.frozen
class Places:
    """Where a request's rows and held items went, in their order; None where their ids were known before."""

    rows: Sequence[int | None]
    quarantined: Sequence[int | None]


def receipt_items(entry: Entry, places: Places) -> str:
    """Return what became of each of the entry's items, as JSON."""
    rows, quarantined = iter(places.rows), iter(places.quarantined)
    told: list[dict[str, object]] = []
    for verdict, message_id, faults in _items(entry):
        line: dict[str, object] = {"verdict": verdict, "message_id": message_id}
        if verdict == "stored":
            place = next(rows)
            line |= {"verdict": "duplicate"} if place is None else {"position": place}
        elif verdict != "rejected":
            number = next(quarantined)
            line |= {"verdict": "duplicate"} if number is None else {"quarantine": number}
        if faults:
            line["faults"] = [{"code": code, "pointer": at, "detail": detail} for code, at, detail in faults]
        told.append(line)
    return json.dumps(told, separators=(",", ":"))  # not orjson: an id of an unfit item may hold what it cannot write


def rejected(entry: Entry) -> int:
    """Return how many of the entry's items were rejected."""
    return sum([verdict == "rejected" for verdict, _, _ in _items(entry)])


def _items(entry: Entry) -> list[tuple[str, str, Sequence[tuple[str, str, object]]]]:
    if entry.outcomes:
        return [(verdict, message_id, faults) for verdict, message_id, faults in json.loads(entry.outcomes)]
    rows = [("stored", _message_id(row.body), ()) for row in entry.rows]
    return [*rows, *[(quarantined.verdict, quarantined.message_id, ()) for quarantined in entry.quarantined]]


def _message_id(body: bytes) -> str:
    event = orjson.loads(body)
    return str(event.get("message_id", "")) if isinstance(event, dict) else ""
