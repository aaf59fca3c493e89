"""All that is known of one event: itself, the request as it came, the answer that the client got, the receipt.

Only the event, its receipt and, for a while, its request are stored. The answer is rendered again, from the request and
the outcomes in the receipt: with the same release of a dialect it is the same.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import attrs

from gateway.dialect import Accepted
from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.ingest.registry import Installed
from gateway.operate import receipts, times
from gateway.operate.held.kept_json import json_or_text
from gateway.operate.held.replay import request_of
from gateway.operate.held.shown import request, text_or_base64
from gateway.records.raw_request import RawRequest
from gateway.storage.read import LogReader, Position
from gateway.storage.records import Records

MAX_BODY = 256 * 1024
"""Bytes of a body that are shown."""
PIECES = 1000
"""How many pieces of JSON, such as a name or a comma, are joined into one part."""
MAX_ITEMS = 50
"""Items of a receipt that are shown."""
GONE = "is gone: it was erased with its person, or has expired before others"
NO_RECEIPT = "its receipt is not known any more"
NOT_KEPT = "the request was not kept; keep_raw_days in [storage] keeps requests for a while"
DAMAGED = "what was kept of the request is damaged"
NO_DIALECT = "the answer is not shown: the dialect that renders it is not installed"
OTHERWISE = "the answer is not shown: the installed dialect reads the request otherwise than when it came"

Dialects = Callable[[], Mapping[str, Installed]]
"""Returns the installed dialects by name, and is called only if one is needed: their schemas take a while."""


async def event_details(
    reader: LogReader, records: Records, dialects: Dialects, position: Position
) -> dict[str, Any] | None:
    """Return what is known of the event at a position; None if there is none. What is not known is None, with a note.

        {"position": 7, "event": {...}, "item": 0, "request": {"method": "POST", "path": "/track", ...},
         "answer": {"status": 200, "content_type": "application/json", "headers": {}, "body": "{...}"},
         "receipt": {"receipt": "18bcfe56800d5c3a", "items": [...], ...}, "notes": []}

    `item` is the index of the event's item in its request. Of a receipt of more than MAX_ITEMS items there are the
    first, with `more_items`, and the event's own is added under `own_item`.
    """
    found = await reader.at([position])
    if not found:
        return None
    [(place, line)] = found
    facts: dict[str, Any] = {"position": place, "event": json_or_text(line), "item": None}
    facts |= {"request": None, "answer": None, "receipt": None, "notes": []}
    receipt = await records.receipt_of(place)
    if receipt is None:
        facts["notes"].append(NO_RECEIPT)
        return facts
    receipts.explain_items(receipt)
    facts["item"] = _index(receipt["items"], place)
    facts["receipt"] = _cut(receipt, facts["item"])
    try:
        raw = await records.raw_of(receipt)
    except (ValueError, zlib.error):
        facts["notes"].append(DAMAGED)
        return facts
    if raw is None:
        facts["notes"].append(NOT_KEPT)
        return facts
    facts["request"] = shown_request(raw)
    facts["answer"], note = _answer(dialects(), receipt, raw)
    facts["notes"] += [note] if note else []
    return facts


def shown_request(raw: RawRequest) -> dict[str, Any]:
    """Return a kept request as `held.shown.request` does, with the `size` of its body.

    Of a body that is longer than MAX_BODY there is the beginning, and `cut` is True.
    """
    shown = request(attrs.evolve(raw, body=_beginning(raw.body)))
    return {**shown, "size": len(raw.body), "cut": len(raw.body) > MAX_BODY}


def _beginning(body: bytes) -> bytes:
    """Return a body, or so much of it as is shown, up to the end of a character."""
    end = MAX_BODY
    while end > MAX_BODY - 4 and body[end : end + 1] >= b"\x80" and body[end] < 0xC0:
        end -= 1
    return body[:end]


def _index(items: Sequence[Mapping[str, Any]], position: Position) -> int | None:
    """Return which item became the event: by its position, or for a replayed one by how its quarantine ended."""
    ended = f"stored at position {position}"
    return next(
        (index for index, item in enumerate(items) if item.get("position") == position or item.get("since") == ended),
        None,
    )


def _cut(receipt: dict[str, Any], own: int | None) -> dict[str, Any]:
    items = receipt["items"]
    if len(items) <= MAX_ITEMS:
        return receipt
    shown = {**receipt, "items": items[:MAX_ITEMS], "more_items": len(items) - MAX_ITEMS}
    return shown if own is None else {**shown, "own_item": items[own]}


def _answer(
    dialects: Mapping[str, Installed], receipt: Mapping[str, Any], raw: RawRequest
) -> tuple[dict[str, Any] | None, str]:
    """Return the answer, or None with a note that says why there is none."""
    installed = dialects.get(receipt["dialect"])
    route = None if installed is None else installed.route(receipt["route"])
    if route is None:
        return None, NO_DIALECT
    try:
        request = request_of(raw, times.parse(receipt["received_at"], 0))
        submission = route.parse(request)
        outcomes = tuple([_outcome(item) for item in receipt["items"]])
        if submission.fault is not None or len(submission.items) != len(outcomes):
            return None, OTHERWISE
        response = route.render(
            Accepted(request=request, submission=submission, outcomes=outcomes, project=receipt["project"])
        )
    except Exception:  # of a dialect of another release, which meets what it does not expect; or it refuses today
        return None, OTHERWISE
    return {
        "status": response.status,
        "content_type": None if response.body is None else response.content_type,
        "headers": {**response.headers, "X-Gateway-Receipt": receipt["receipt"]},
        **({"body": None} if response.body is None else text_or_base64(_beginning(response.body))),
    }, ""


def _outcome(item: Mapping[str, Any]) -> Outcome:
    faults = [Fault(each["code"], each["pointer"], each["detail"]) for each in item.get("faults", ())]
    return Outcome(Verdict(item["verdict"]), item["message_id"] or "", tuple(faults))


def pretty(value: object, most: int = 1 << 62) -> str:
    """Return JSON over several lines, in its own characters, cut at so many characters and an ellipsis.

    Indented, a small value that is nested deeply is a long text: no more of it is made than is returned.
    """
    made, room = [], most
    for part in pretty_parts(value):
        made.append(part[:room])
        room -= len(part)
        if room < 0:
            made.append("\n…")
            break
    return "".join(made)


def pretty_parts(value: object) -> Iterator[str]:
    """Yield the same whole, in parts. A lone surrogate is written as an escape."""
    pieces = json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value)
    while some := list(islice(pieces, PIECES)):
        yield "".join(some).encode("utf-8", "backslashreplace").decode()
