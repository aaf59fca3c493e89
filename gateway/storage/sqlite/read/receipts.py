"""Reads receipts: the outcome of each item of one request. Nothing here writes."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.dialect.outcome import Verdict
from gateway.dialect.timestamps import from_millis
from gateway.storage.outcomes_json import decode_receipt
from gateway.storage.records import receipt_number
from gateway.storage.sqlite.read.quarantine import quarantine_record, settled
from gateway.storage.sqlite.read.reader import Reader

RECEIPT = (
    "SELECT r.received_at, s.project, s.dialect, s.route, r.position, r.count, r.outcomes "
    "FROM receipts r JOIN streams s ON s.id = r.stream WHERE r.id = ?"
)


def facts(reader: Reader, text: str) -> dict[str, Any] | None:
    """Return a receipt by its id as clients get it (hex); None if there is none. Raises DataDirError.

    `items` is in the request's order. A stored item has a `position`, a quarantined or filtered one `quarantine` (its
    id), an invalid one `faults`. `since` is how a quarantined item ended later. Of a very long request the ids of items
    that are neither stored nor in quarantine may not be kept: then `message_id` is None. A stored item whose event was
    removed since has no `message_id` either, and says `erased`.

        {"receipt": "18bcfe56800d5c3a", "project": "shop", "dialect": "tranthor", "route": "batch",
         "received_at": "2023-11-14T22:13:20.000Z", "items": [
            {"verdict": "stored", "message_id": "m-1", "position": 7},
            {"verdict": "quarantined", "message_id": "m-2", "quarantine": 3, "since": "dropped",
             "faults": [{"code": "required", "pointer": "/event", "detail": {}}]}]}
    """
    number = receipt_number(text)
    found = [] if number is None else reader.query(RECEIPT, number)
    if not found:
        return None
    [(received_at, project, dialect, route, position, count, outcomes)] = found
    items: list[dict[str, Any]]
    positions = range(position, position + count)
    if outcomes is None:
        lines = dict(reader.events_at(positions))
        items = [
            {"verdict": "stored", "message_id": json.loads(lines[each]).get("message_id"), "position": each}
            if each in lines
            else {"verdict": "stored", "message_id": None, "position": each}
            for each in positions
            if each in lines or reader.is_gone(each)
        ]
    else:
        items = decode_receipt(outcomes)
        lines = {} if all("message_id" in item for item in items) else dict(reader.events_at(positions))
        for item in items:
            _complete(reader, item, lines)
    for item in items:
        if "position" in item and item["message_id"] is None and reader.is_gone(item["position"]):
            item["erased"] = True
    return {
        "receipt": f"{number:x}",
        "project": project,
        "dialect": dialect,
        "route": route,
        "received_at": from_millis(received_at),
        "items": items,
    }


def _complete(reader: Reader, item: dict[str, Any], lines: Mapping[int, bytes]) -> None:
    if "message_id" not in item:
        item["message_id"] = None
        line = lines.get(item.get("position", 0))
        if line is not None:
            item["message_id"] = json.loads(line).get("message_id")
        elif "quarantine" in item and (record := quarantine_record(reader, item["quarantine"])) is not None:
            item["message_id"] = record.message_id or None
            item["faults"] = json.loads(record.faults)
    item["verdict"] = Verdict(item["verdict"]).value  # receipts from before 0.2 say `refused`
    if "quarantine" in item and (since := settled(reader, item["quarantine"])) is not None:
        item["since"] = since
