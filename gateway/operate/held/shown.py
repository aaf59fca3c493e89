"""Quarantined items and rejected requests as JSON for people: rows of a list, and single ones whole."""

import base64
import json
from typing import Any

import attrs
import orjson

from gateway.operate.held.contents import Contents, Shown, why_not_kept
from gateway.operate.held.kept_json import explained, json_or_text, unreadable
from gateway.records.raw_request import RawRequest
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.records import QUARANTINE_COLUMNS, Records


def row(item: QuarantineRecord, contents: Contents) -> dict[str, Any]:
    """Return an item as a row of the reader's listing, with its payload, and a `note` where that is not known."""
    fields = attrs.asdict(item, recurse=False)
    receipt = None if item.receipt is None else f"{item.receipt:x}"
    known = {"id": fields.pop("number"), **fields, "receipt": receipt, "item": fields.pop("index")}
    shown = contents.of(item)
    known |= {"message_id": shown.message_id, "payload": shown.payload or "null"}
    not_kept = () if item.kept else ("kept", "size", "sha256")
    return {**{name: known[name] for name in (*QUARANTINE_COLUMNS, *not_kept)}, **_note(shown)}


async def completed(row: dict[str, Any], records: Records, contents: Contents) -> dict[str, Any]:
    """Return a row of the reader's listing with what only the item's request has."""
    if row["message_id"] is not None and row["payload"] is not None:
        return row
    if "kept" in row:
        return {**row, "payload": "null", "note": why_not_kept(row["sha256"])}
    item = await records.quarantine_record(row["id"])
    if item is None:  # it has just ended
        return {**row, "payload": row["payload"] or "null"}
    shown = contents.of(item)
    return {**row, "message_id": shown.message_id, "payload": shown.payload or "null", **_note(shown)}


def item_line(row: dict[str, Any]) -> bytes:
    """Return an item as a line of JSON; one that cannot be read says so under `unreadable`.

    The payload is copied as it is, so that numbers of any length survive.
    """
    try:
        payload = orjson.Fragment(str(row["payload"]))
        json.loads(str(row["payload"]), parse_int=str)  # a fragment is not checked
        return orjson.dumps({**row, "faults": explained(row["faults"]), "payload": payload})
    except (ValueError, TypeError, RecursionError) as error:
        return unreadable(row, error)


def whole_item(item: QuarantineRecord, contents: Contents) -> dict[str, Any]:
    """Return everything known about an item."""
    known: dict[str, Any] = json.loads(item_line(row(item, contents)))
    return known if item.raw is None else {**known, "request": request(item.raw)}


def rejected_line(row: dict[str, Any]) -> bytes:
    """Return a rejected request as a line of JSON; one that cannot be read says so under `unreadable`."""
    try:
        return orjson.dumps({**row, "faults": explained(row["faults"])})
    except (ValueError, TypeError) as error:
        return unreadable(row, error)


def whole_rejected(known: dict[str, Any], raw: RawRequest) -> dict[str, Any]:
    """Return everything known about a rejected request."""
    return {**json.loads(rejected_line(known)), "request": request(raw)}


def request(raw: RawRequest) -> dict[str, Any]:
    """Return a kept request for people to read: `method`, `path`, `query`, `headers`, `client_ip` and the body.

    The body is text under `body`, or base64 under `body_base64` if it is not UTF-8. A damaged query is text too.
    """
    return {
        "method": raw.method,
        "path": raw.path,
        "query": json_or_text(raw.query),
        "headers": json_or_text(raw.headers),
        "client_ip": raw.client_ip,
        **text_or_base64(raw.body),
    }


def text_or_base64(body: bytes) -> dict[str, str]:
    """Return a body as text under `body`, or in base64 under `body_base64` if it is not UTF-8."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _note(shown: Shown) -> dict[str, str]:
    return {} if shown.note is None else {"note": shown.note}
