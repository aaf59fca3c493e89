"""Requests to submissions: the key, then the body split into items. Cheap: it runs before authentication."""

from dialects.tranthor.coerce import text
from dialects.tranthor.keys import shown
from dialects.tranthor.wire import KINDS
from gateway.dialect import Fault, Item, Request, Submission, Undecodable, bounded, decode

UNTYPED = "item"
"""The schema that refuses a batch's element that is no object or whose `type` is not one of the five."""

_OF_THE_BATCH = frozenset({"batch", "context", "writeKey"})


def single(kind: str, request: Request) -> Submission:
    """Return the one message of `/identify`, `/track`, ...: the path decides its type."""
    credentials = shown(request.headers)
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return Submission(credentials, fault=problem.fault)
    return Submission(credentials, (_item(kind, body),))


def batch(request: Request) -> Submission:
    """Return the messages of `/batch`; its own context goes along once, for `translate` to merge under each one's.

    Not merged here: before authentication a stranger could have a large context copied for each of many small items.
    """
    credentials = shown(request.headers)
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return Submission(credentials, fault=problem.fault)
    fault = _fault(body)
    if fault is not None:
        return Submission(credentials, fault=fault)
    assert isinstance(body, dict), "anything else has a fault"
    items = tuple([_element(element) for element in bounded(body["batch"])])
    shared = {"shared": body["context"]} if body.get("context") else {}
    if body.keys() <= _OF_THE_BATCH:
        return Submission(credentials, items, context=shared)
    unknown = {key: value for key, value in body.items() if key not in _OF_THE_BATCH}
    return Submission(credentials, items, context={**shared, "batch": unknown})


def _fault(body: object) -> Fault | None:
    if not isinstance(body, dict):
        return Fault("type", "", {"expected": "object"})
    if "batch" not in body:
        return Fault("required", "/batch")
    if not isinstance(body["batch"], list):
        return Fault("type", "/batch", {"expected": "array"})
    if not isinstance(body.get("context"), dict | None):
        return Fault("type", "/context", {"expected": "object"})
    return None


def _element(element: object) -> Item:
    if not isinstance(element, dict):
        return Item("message", UNTYPED, element)
    kind = element.get("type")
    return _item(kind if isinstance(kind, str) and kind in KINDS else UNTYPED, element)


def _item(schema: str, payload: object) -> Item:
    if not isinstance(payload, dict):
        return Item("message", schema, payload)
    if "writeKey" in payload:  # no SDK sends one; a Segment-like caller's is a secret all the same
        payload = {key: value for key, value in payload.items() if key != "writeKey"}
    return Item("message", schema, payload, text(payload.get("messageId")) or None)
