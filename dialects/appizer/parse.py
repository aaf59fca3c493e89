"""Requests to submissions: who sends, what all items share, and the body split into items.

Pure, and runs before authentication: any body must be survived. Each function is named after its route.
"""

from collections.abc import Mapping
from functools import partial

import attrs

from dialects.appizer import credentials
from dialects.appizer.limits import MAX_BATCH
from dialects.appizer.wire import BATCH_EXTRA, EVENTS, unknown
from gateway.dialect import Credential, Fault, Item, Request, Submission, json_or_fault, json_type, visitor

_BATCH = frozenset({EVENTS})


def _one(request: Request, *, kind: str, schema: str) -> Submission:
    """Return the submission of a route whose body is one item."""
    body, fault = json_or_fault(request.body)
    submission = _without_items(request, body)
    if fault is None and not isinstance(body, dict):
        fault = Fault("not_an_object", detail={"received": json_type(body)})
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
    body, fault = json_or_fault(request.body)
    submission = _without_items(request, body)
    fault = fault or _batch_fault(body)
    if fault is not None or not isinstance(body, dict):
        return attrs.evolve(submission, fault=fault)
    elements = body[EVENTS]
    if len(body) > 1:
        elements = _with_extra(elements, unknown(body, _BATCH, _app_id(submission.credentials)))
    items = tuple([Item("event", "event", element) for element in elements])
    return Submission(submission.credentials, items, context=submission.context)


def _without_items(request: Request, body: object) -> Submission:
    """Return the submission's credential and context: a browser's `ip` and `user_agent`, and `app` of an app id."""
    found = credentials.find(request, body)
    context = visitor(request)
    app_id = _app_id(found)
    if app_id is not None:
        context["app"] = {"id": app_id}
    return Submission(found, context=context)


def _app_id(found: tuple[Credential, ...]) -> str | None:
    return found[0].value if found and found[0].kind == credentials.APP.name else None


def _batch_fault(body: object) -> Fault | None:
    if not isinstance(body, dict):
        if isinstance(body, list):
            return _type_fault("", "object", body)
        return Fault("not_an_object", detail={"received": json_type(body)})
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


def _with_extra(elements: list[object], extra: Mapping[str, object]) -> list[object]:
    """Return a batch's elements with its own unknown fields in the first one, so that they are stored only once."""
    first = elements[0]
    if not extra or not isinstance(first, dict):
        return elements
    return [{**first, BATCH_EXTRA: extra}, *elements[1:]]


def _type_fault(pointer: str, expected: str, value: object) -> Fault:
    return Fault("type", pointer, {"expected": expected, "received": json_type(value)})
