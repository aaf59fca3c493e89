"""Requests to submissions: the key, then the body split into items. Cheap: it runs before authentication."""

from collections.abc import Mapping

from dialects.tranthor.coerce import text
from dialects.tranthor.keys import shown
from dialects.tranthor.wire import KINDS
from gateway.decode import Undecodable, decode, flaws
from gateway.dialect import Item, Submission
from gateway.message import Request
from gateway.outcome import Fault

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
    """Return the messages of `/batch`, the batch's own context merged under each one's.

    Merged here and not in `translate`, so that a quarantined item is kept with its context too.
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
    shared = body.get("context")
    items = tuple([_element(element, shared) for element in body["batch"]])
    if body.keys() <= _OF_THE_BATCH:
        return Submission(credentials, items)
    unknown = {key: value for key, value in body.items() if key not in _OF_THE_BATCH}
    flawed = flaws(unknown)  # they become part of every event, but of no item that could be refused alone
    if flawed:
        return Submission(credentials, fault=flawed[0])
    return Submission(credentials, items, context={"batch": unknown})


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


def _element(element: object, shared: Mapping[str, object] | None) -> Item:
    if not isinstance(element, dict):
        return Item("message", UNTYPED, element)
    if shared:
        own = element.get("context")
        if own is None:
            element = {**element, "context": shared}
        elif isinstance(own, dict):
            element = {**element, "context": {**shared, **own}}
    kind = element.get("type")
    return _item(kind if isinstance(kind, str) and kind in KINDS else UNTYPED, element)


def _item(schema: str, payload: object) -> Item:
    if not isinstance(payload, dict):
        return Item("message", schema, payload)
    if "writeKey" in payload:  # no SDK sends one; a Segment-like caller's is a secret all the same
        payload = {key: value for key, value in payload.items() if key != "writeKey"}
    return Item("message", schema, payload, text(payload.get("messageId")) or None)
