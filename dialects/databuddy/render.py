"""The answers to requests whose items were accepted, byte for byte. Each function is named after its route.

Bodies are documented for `/track` and `/batch`; all else is the servers'.
"""

import json
from functools import partial

import orjson

from dialects.databuddy.entries import TYPES
from dialects.databuddy.errors import is_unknown_type
from dialects.databuddy.pixel import IMAGE
from gateway.dialect import Accepted, Item, Outcome, Request, Response, Verdict

REJECTED = Verdict.REJECTED  # looked up once: a member of an enum takes a tenth of a microsecond


def _counted(accepted: Accepted, *, type_: str) -> Response:
    """Answer a route that takes many items of one kind."""
    return _answer({"status": "success", "type": type_, "count": len(accepted.outcomes)})


def _typed(_accepted: Accepted, *, type_: str) -> Response:
    """Answer a route that takes one item of one kind."""
    return _answer({"status": "success", "type": type_})


track = partial(_counted, type_="custom_event")
vitals = partial(_counted, type_="web_vitals")
errors = partial(_counted, type_="error")
events = partial(_counted, type_="custom_event")
engagement = partial(_counted, type_="engagement")
llm = partial(_counted, type_="ai_call")
identify = partial(_typed, type_="identify")
outgoing = partial(_typed, type_="outgoing_link")


def single(accepted: Accepted) -> Response:
    """Answer with the entry's type, and with the id of a `custom` one: SDKs of 2025 hand it to their caller."""
    item = accepted.submission.items[0]
    answer: dict[str, object] = {"status": "success", "type": TYPES[item.kind]}
    if item.kind == "custom" and item.message_id:
        answer["eventId"] = accepted.outcomes[0].message_id
    return _answer(answer)


def batch(accepted: Accepted) -> Response:
    """Answer with a result for each entry. The status is a success even if all entries failed."""
    pairs = list(zip(accepted.submission.items, accepted.outcomes, strict=True))
    kinds = [item.kind for item, outcome in pairs if outcome.verdict is not REJECTED]
    answer = {
        "status": "success",
        "batch": True,
        "processed": len(pairs),
        "batched": {"track": kinds.count("track"), "outgoing_link": kinds.count("outgoing_link")},
        "results": [_result(item, outcome) for item, outcome in pairs],
    }
    try:
        return _answer(answer)
    except TypeError:  # an id or a type with a lone surrogate, which goes back as the escape that it came in
        return Response(200, json.dumps(answer, separators=(",", ":")).encode("ascii"))


def pixel(_accepted: Accepted) -> Response:
    """Answer with the image."""
    return IMAGE


def health(_request: Request) -> Response:
    """Answer a probe."""
    return _answer({"status": "ok"})


def _result(item: Item, outcome: Outcome) -> dict[str, object]:
    """Return `{"status": "success", "type": "track", "eventId": "e-1"}`, or the error of an entry."""
    result: dict[str, object]
    if outcome.verdict is not REJECTED:
        result = {"status": "success", "type": TYPES[item.kind]}
    elif is_unknown_type(outcome):
        return {"status": "error", "message": "Unknown event type", "eventType": _type_as_sent(item.payload)}
    else:
        result = {"status": "error", "message": "Invalid event schema", "eventType": TYPES[item.kind]}
    if item.message_id:
        result["eventId"] = outcome.message_id
    return result


def _type_as_sent(payload: object) -> object:
    type_ = payload.get("type") if isinstance(payload, dict) else None
    return type_ if isinstance(type_, str | bool | int | float) else None


def _answer(answer: dict[str, object]) -> Response:
    return Response(200, orjson.dumps(answer))
