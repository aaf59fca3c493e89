"""Requests to submissions: who sends, what all items share, and the body split into items.

Pure, and runs before authentication: any body must be survived. Each function is named after its route.
"""

from functools import partial

import attrs

from dialects.appizer import credentials
from dialects.appizer.limits import MAX_BATCH
from dialects.appizer.wire import BATCH_EXTRA, EVENTS, Fields, unknown
from gateway.dialect import Credential, Fault, Item, Request, Submission, Undecodable, decode

_BATCH = frozenset({EVENTS})


def _one(request: Request, *, kind: str, schema: str) -> Submission:
    """Return the submission of a route whose body is one item."""
    body, fault = _decoded(request)
    submission = _without_items(request, body)
    if fault is None and not isinstance(body, dict):
        fault = Fault("not_an_object", detail={"received": _type_of(body)})
    if fault is not None:
        return attrs.evolve(submission, fault=fault)
    return Submission(submission.credentials, (Item(kind, schema, body),), context=submission.context)


events = partial(_one, kind="event", schema="event")
track = partial(_one, kind="event", schema="track")
users = partial(_one, kind="user", schema="user")
aliases = partial(_one, kind="alias", schema="alias")
replace_id = partial(_one, kind="replace_id", schema="replace_id")


def batch(request: Request) -> Submission:
    """Return the submission of a batch. Faults of the array are the body's; its elements are the items."""
    body, fault = _decoded(request)
    submission = _without_items(request, body)
    fault = fault or _batch_fault(body)
    if fault is not None or not isinstance(body, dict):
        return attrs.evolve(submission, fault=fault)
    elements = body[EVENTS]
    if len(body) > 1:
        elements = _with_extra(elements, unknown(body, _BATCH, _app_id(submission.credentials)))
    items = tuple([Item("event", "event", element) for element in elements])
    return Submission(submission.credentials, items, context=submission.context)


def _decoded(request: Request) -> tuple[object, Fault | None]:
    try:
        return decode(request.body), None
    except Undecodable as error:
        return None, error.fault


def _without_items(request: Request, body: object) -> Submission:
    """Return the submission's credential and context. The context describes a browser: its app id and user agent.

    It is empty for a server's call, whose address and user agent are not the visitor's.
    """
    found = credentials.find(request, body)
    app_id = _app_id(found)
    if app_id is None:
        return Submission(found)
    context: dict[str, object] = {"app": {"id": app_id}}
    user_agent = request.headers.get("user-agent")
    if user_agent:
        context["user_agent"] = _text(user_agent)
    return Submission(found, context=context)


def _app_id(found: tuple[Credential, ...]) -> str | None:
    return found[0].value if found and found[0].kind == credentials.APP.name else None


def _batch_fault(body: object) -> Fault | None:
    if not isinstance(body, dict):
        if isinstance(body, list):
            return _type_fault("", "object", body)
        return Fault("not_an_object", detail={"received": _type_of(body)})
    elements = body.get(EVENTS)
    where = f"/{EVENTS}"
    if elements is None:
        return Fault("required", where)
    if not isinstance(elements, list):
        return _type_fault(where, "array", elements)
    if not elements:
        return Fault("minItems", where, {"limit": 1, "received": 0})
    if len(elements) > MAX_BATCH:
        return Fault("maxItems", where, {"limit": MAX_BATCH, "received": len(elements)})
    return None


def _with_extra(elements: list[object], extra: Fields) -> list[object]:
    """Return a batch's elements with its own unknown fields in the first one, so that they are stored only once."""
    first = elements[0]
    if not extra or not isinstance(first, dict):
        return elements
    return [{**first, BATCH_EXTRA: extra}, *elements[1:]]


def _text(header: str) -> str:
    """Return a header fit to store. The server passes bytes that are not UTF-8 as lone surrogates."""
    return header if header.isascii() else header.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _type_fault(pointer: str, expected: str, value: object) -> Fault:
    return Fault("type", pointer, {"expected": expected, "received": _type_of(value)})


def _type_of(value: object) -> str:
    """Return the JSON name of a value's type. What has no other name was a number, perhaps one not kept."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "number"
