"""Requests to submissions: the key, and the body split into items.

Pure, and runs before authentication: any body must be survived, and nothing may be copied for each item.
"""

from dialects.tranthor import credentials
from dialects.tranthor.coerce import text
from dialects.tranthor.times import read_time
from dialects.tranthor.wire import BATCH, CONTEXT, KINDS, MESSAGE_ID, SENT_AT, TYPE, WRITE_KEY_FIELD
from gateway.dialect import Fault, Item, Request, Submission, bounded, json_or_fault, unknown_fields, visitor

UNTYPED = "item"
"""The schema of a batch's items without a known `type`. It accepts none of them: its faults say why."""

_KNOWN = frozenset({BATCH, CONTEXT, WRITE_KEY_FIELD})


def message(kind: str, request: Request) -> Submission:
    """Return the one message of `/identify`, `/track` and so on. The path decides its type."""
    found = credentials.find(request)
    body, fault = json_or_fault(request.body)
    if fault is not None:
        return Submission(found, fault=fault)
    return Submission(found, (_item(kind, body),), context=visitor(request))


def batch(request: Request) -> Submission:
    """Return the messages of `/batch`. Raises Refusal if there are more than MAX_ITEMS.

    The submission's context has a browser's `ip` and `user_agent`, and of the batch `shared`, its own context,
    `sent_at`, a canonical time, and `batch`, its unknown fields; each of them only if there is one. `translate` puts
    `shared` under each message's context: merging here would let anybody have a large context copied many times.
    """
    found = credentials.find(request)
    body, fault = json_or_fault(request.body)
    fault = fault or _fault(body)
    if fault is not None:
        return Submission(found, fault=fault)
    assert isinstance(body, dict), "anything else has a fault"
    items = tuple([_element(element) for element in bounded(body[BATCH])])
    context = visitor(request)
    if body.get(CONTEXT):
        context["shared"] = body[CONTEXT]
    unknown = unknown_fields(body, _KNOWN)
    if SENT_AT in unknown:
        sent_at, original = read_time(unknown[SENT_AT])
        if sent_at is not None:
            context["sent_at"] = sent_at
            if original is None:
                unknown = {name: value for name, value in unknown.items() if name != SENT_AT}
    if unknown:
        context["batch"] = unknown
    return Submission(found, items, context=context)


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
