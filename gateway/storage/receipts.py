"""Reads receipts: what became of each item of one request. Nothing here writes."""

import json
from typing import Any

from gateway.sentence import sentence
from gateway.storage.heldreader import settled
from gateway.storage.reader import Reader
from gateway.timestamps import from_millis

RECEIPT = (
    "SELECT r.received_at, s.project, s.dialect, s.route, r.position, r.count, r.outcomes "
    "FROM receipts r JOIN streams s ON s.id = r.stream WHERE r.id = ?"
)
LONGEST = 16


def told(reader: Reader, text: str) -> dict[str, Any] | None:
    """Return what a receipt tells, by its id as clients get it; None where there is none.

    A held item that ended since says how, under `since`.
    """
    number = _number(text)
    found = [] if number is None else reader.ask(RECEIPT, number)
    if not found:
        return None
    [(received_at, project, dialect, route, position, count, outcomes)] = found
    items: list[dict[str, Any]]
    if outcomes is None:
        items = [
            {"verdict": "stored", "message_id": json.loads(line).get("message_id"), "position": place}
            for place, line in reader.some(position, count)
        ]
    else:
        items = json.loads(outcomes)
        for item in items:
            _complete(reader, item)
    return {
        "receipt": f"{number:x}",
        "project": project,
        "dialect": dialect,
        "route": route,
        "received_at": from_millis(received_at),
        "items": items,
    }


def _number(text: str) -> int | None:
    if len(text) > LONGEST or not text.isalnum():
        return None
    try:
        number = int(text, 16)
    except ValueError:
        return None
    return number if number < 1 << 63 else None


def _complete(reader: Reader, item: dict[str, Any]) -> None:
    if "quarantine" in item and (since := settled(reader, item["quarantine"])) is not None:
        item["since"] = since
    for fault in item.get("faults", ()):
        fault["sentence"] = sentence(fault["code"], fault["pointer"], fault["detail"])
