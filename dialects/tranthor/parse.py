"""Requests to submissions: the key, and the body split into items.

Pure, and runs before authentication: any body must be survived, and nothing may be copied for each item.
"""

from dialects.tranthor import credentials
from dialects.tranthor.coerce import text
from dialects.tranthor.wire import BATCH, CONTEXT, KINDS, MESSAGE_ID, TYPE, WRITE_KEY_FIELD
from gateway.dialect import Fault, Item, Request, Submission, Undecodable, bounded, decode

UNTYPED = "item"
"""The schema of a batch's items without a known `type`. It accepts none of them: its faults say why."""

_KNOWN = frozenset({BATCH, CONTEXT, WRITE_KEY_FIELD})


def message(kind: str, request: Request) -> Submission:
    """Return the one message of `/identify`, `/track` and so on. The path decides its type."""
    found = credentials.find(request)
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return Submission(found, fault=problem.fault)
    return Submission(found, (_item(kind, body),))


def batch(request: Request) -> Submission:
    """Return the messages of `/batch`. Raises Refusal if there are more than MAX_ITEMS.

    The submission's context is not canonical: `shared` is the batch's own context, which `translate` puts under each
    message's, and `batch` its unknown fields. Merging here would let anybody have a large context copied many times.
    """
    found = credentials.find(request)
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return Submission(found, fault=problem.fault)
    fault = _fault(body)
    if fault is not None:
        return Submission(found, fault=fault)
    assert isinstance(body, dict), "anything else has a fault"
    items = tuple([_element(element) for element in bounded(body[BATCH])])
    shared = {"shared": body[CONTEXT]} if body.get(CONTEXT) else {}
    if body.keys() <= _KNOWN:
        return Submission(found, items, context=shared)
    unknown = {key: value for key, value in body.items() if key not in _KNOWN}
    return Submission(found, items, context={**shared, "batch": unknown})


def _fault(body: object) -> Fault | None:
    if not isinstance(body, dict):
        return Fault("type", "", {"expected": "object"})
    if BATCH not in body:
        return Fault("required", f"/{BATCH}")
    if not isinstance(body[BATCH], list):
        return Fault("type", f"/{BATCH}", {"expected": "array"})
    if not isinstance(body.get(CONTEXT), dict | None):
        return Fault("type", f"/{CONTEXT}", {"expected": "object"})
    return None


def _element(element: object) -> Item:
    if not isinstance(element, dict):
        return Item("message", UNTYPED, element)
    kind = element.get(TYPE)
    return _item(kind if isinstance(kind, str) and kind in KINDS else UNTYPED, element)


def _item(schema: str, payload: object) -> Item:
    if not isinstance(payload, dict):
        return Item("message", schema, payload)
    if WRITE_KEY_FIELD in payload:
        payload = {key: value for key, value in payload.items() if key != WRITE_KEY_FIELD}
    return Item("message", schema, payload, text(payload.get(MESSAGE_ID)) or None)
