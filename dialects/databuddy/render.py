"""What became of a request, in Databuddy's words: its exact bodies and statuses. Pure.

An error is `{"status":"error","message":...}` and nothing more (documented); statuses are the server's.
"""

import json
from collections.abc import Mapping
from functools import partial

import attrs
import orjson

from gateway.dialect import Accepted, Item, Outcome, Reason, Refusal, Request, Response, Verdict

Answer = tuple[int, str]

TYPES: Mapping[str, str] = {
    "track": "track",
    "outgoing_link": "outgoing_link",
    "custom": "custom",
    "web_vital": "web_vitals",
    "error": "error",
}
"""The wire's word for an item kind, in the answers to `/` and `/batch`."""

_ANSWERS: Mapping[Reason, Answer] = {
    Reason.TOO_LARGE: (413, "Payload too large"),
    Reason.ENCODING: (415, "Unsupported content encoding"),
    Reason.TIMEOUT: (408, "Request body timed out"),
    Reason.ORIGIN: (403, "Origin not authorized"),
    Reason.FOREIGN_SITE: (403, "Website scope mismatch"),
    Reason.LIMITED: (429, "Rate limit exceeded"),
    Reason.IDEMPOTENCY_KEY: (400, "Invalid Idempotency-Key header"),
    Reason.CONFLICT: (422, "Idempotency-Key was already used with a different request"),
    Reason.UNAVAILABLE: (503, "Analytics delivery temporarily unavailable"),
    Reason.INTERNAL: (500, "Internal server error"),
}


@attrs.frozen
class Voice:
    """The words in which one endpoint refuses, where endpoints differ. `bodies` are by fault code."""

    no_credential: Answer = (400, "Missing client ID")
    unknown_site: Answer = (400, "Invalid or inactive client ID")
    missing_scope: Answer = (403, "API key missing track:events scope")
    on_invalid: str = "Invalid event schema"
    bodies: Mapping[str, str] = {
        "not_array": "Invalid event schema",
        "too_many": "Invalid event schema",
        "missing_website_id": "Missing websiteId",
    }


SITE = Voice()
BATCH = Voice(bodies={"not_array": "Batch endpoint expects array of events", "too_many": "Batch too large"})
TRACK = Voice(
    no_credential=(401, "API key or website_id required"),
    unknown_site=(404, "Website not found"),
    on_invalid="Invalid request body",
)
IDENTIFY = Voice(unknown_site=(404, "Website not found"), on_invalid="Invalid request body")
_NO_LLM_KEY = (401, "Invalid or missing API key with write:llm scope")
LLM = Voice(no_credential=_NO_LLM_KEY, missing_scope=_NO_LLM_KEY, on_invalid="Invalid request body")


def refuse(voice: Voice, _request: Request, refusal: Refusal) -> Response:
    """Return the answer to a request that an endpoint refuses."""
    reason = refusal.reason
    if reason in (Reason.NOT_FOUND, Reason.METHOD_NOT_ALLOWED):
        return Response(404)
    if reason is Reason.NO_CREDENTIAL:
        return _error(*voice.no_credential)
    if reason in (Reason.UNKNOWN_CREDENTIAL, Reason.REVOKED_CREDENTIAL, Reason.UNKNOWN_SITE):
        return _error(*voice.unknown_site)
    if reason is Reason.MISSING_SCOPE:
        return _error(*voice.missing_scope)
    if reason is Reason.BODY:
        return _error(400, voice.bodies.get(refusal.faults[0].code, "Invalid request body"))
    if reason is Reason.INVALID:
        unknown = any(_is_unknown(outcome) for outcome in refusal.outcomes)
        return _error(400, "Unknown event type" if unknown else voice.on_invalid)
    return _error(*_ANSWERS[reason])


def counted(type_: str, handled: Accepted) -> Response:
    """Return the answer of an endpoint that takes many items of one kind."""
    return _json({"status": "success", "type": type_, "count": len(handled.outcomes)})


def typed(type_: str, _handled: Accepted) -> Response:
    """Return the answer of an endpoint that takes one item of one kind."""
    return _json({"status": "success", "type": type_})


def single(handled: Accepted) -> Response:
    """Return the answer of `/`. SDKs of 2025 hand a custom event's id back to their caller."""
    item = handled.submission.items[0]
    answer: dict[str, object] = {"status": "success", "type": TYPES[item.kind]}
    if item.kind == "custom" and item.message_id:
        answer["eventId"] = handled.outcomes[0].message_id
    return _json(answer)


def batch(handled: Accepted) -> Response:
    """Return the answer of `/batch`: a success, whatever became of the items, and a result for each."""
    pairs = list(zip(handled.submission.items, handled.outcomes, strict=True))
    kept = [item.kind for item, outcome in pairs if outcome.verdict is not Verdict.REJECTED]
    answer = {
        "status": "success",
        "batch": True,
        "processed": len(pairs),
        "batched": {"track": kept.count("track"), "outgoing_link": kept.count("outgoing_link")},
        "results": [_result(item, outcome) for item, outcome in pairs],
    }
    try:
        return _json(answer)
    except TypeError:  # an id or a type with lone surrogates is echoed as the escapes that it came in
        return Response(200, json.dumps(answer, separators=(",", ":")).encode("ascii"))


def health(_request: Request) -> Response:
    """Return the answer to a probe."""
    return _json({"status": "ok"})


def _result(item: Item, outcome: Outcome) -> dict[str, object]:
    result: dict[str, object]
    if outcome.verdict is not Verdict.REJECTED:
        result = {"status": "success", "type": TYPES[item.kind]}
    elif _is_unknown(outcome):
        result = {"status": "error", "message": "Unknown event type", "eventType": _type_as_sent(item.payload)}
    else:
        result = {"status": "error", "message": "Invalid event schema", "eventType": TYPES[item.kind]}
    if item.message_id and not _is_unknown(outcome):
        result["eventId"] = outcome.message_id
    return result


def _is_unknown(outcome: Outcome) -> bool:
    return any(fault.code == "unknown_type" for fault in outcome.faults)


def _type_as_sent(payload: object) -> object:
    type_ = payload.get("type") if isinstance(payload, dict) else None
    return type_ if isinstance(type_, str | bool | int | float) else None


def _error(status: int, message: str) -> Response:
    return Response(status, orjson.dumps({"status": "error", "message": message}))


def _json(answer: dict[str, object]) -> Response:
    return Response(200, orjson.dumps(answer))


anywhere = partial(refuse, SITE)
"""The answer to a request that reached no endpoint."""
