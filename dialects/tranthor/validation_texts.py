"""Why a message is not valid, in the words of upstream's validator (ajv behind Fastify). Pure.

Upstream checks a message against two options, one that requires `userId` and one that requires `anonymousId`. Its text
has the first problem of each option, and then says that neither matched. For a batch upstream lists the options of all
five types; here the text has only the two of the item's own type.

The texts are made from the payload and not from the schema's faults: for a caller without credentials the schema check
says only whether an item is valid.
"""

from collections.abc import Iterator, Sequence

from dialects.tranthor.coerce import text, unwrapped
from dialects.tranthor.wire import (
    ANONYMOUS_ID,
    BATCH,
    FIELDS,
    FILE_FIELDS,
    FILE_TYPE,
    KINDS,
    MESSAGE_ID,
    REQUIRED,
    TYPE,
    USER_ID,
    Fields,
)
from gateway.dialect import Fault, Outcome, Request, Undecodable, decode

_MAX_BODY = 65536  # bytes; a longer body is not worth decoding twice for the sake of a text
_UNREAD = object()
_IDS = (USER_ID, ANONYMOUS_ID)

_GATEWAY_TEXTS = {
    "lone_surrogate": "must be text without lone surrogates",
    "integer_too_long": "must be an integer of at most 1000 digits",
    "too_deep": "must be nested less deeply",
    "nul_in_identifier": "must have no NUL in its identifiers",
    "no_group_id": "must NOT have fewer than 1 characters",
}
"""For what upstream accepts and the gateway does not; by fault code."""


def of_body(fault: Fault) -> str:
    """Return the text for a fault of a batch's body: `body/batch must be array`."""
    if fault.code in _GATEWAY_TEXTS:
        return f"body{fault.pointer} {_GATEWAY_TEXTS[fault.code]}"
    if fault.code == "required":
        return _missing("body", fault.pointer[1:])
    return f"body{fault.pointer} must be {fault.detail.get('expected')}"


def of_items(request: Request, outcomes: Sequence[Outcome]) -> str:
    """Return the text for the first invalid item of a request; `outcomes` has at least one with a fault.

    Example: `body must have required property 'userId', body/event must be string, body must match a schema in anyOf`.
    """
    index, fault = next((index, each.faults[0]) for index, each in enumerate(outcomes) if each.faults)
    kind = request.path.rpartition("/")[2]
    in_batch = kind == BATCH
    where = f"body/{BATCH}/{index}" if in_batch else "body"
    if fault.code in _GATEWAY_TEXTS:
        return f"{where}{fault.pointer} {_GATEWAY_TEXTS[fault.code]}"
    neither = f"{where} must match a schema in anyOf"
    if fault.code == "no_id":
        return ", ".join([*(_missing(where, name) for name in _IDS), neither])
    payload = _payload(request, index if in_batch else None)
    if payload is _UNREAD:
        return neither
    if in_batch and isinstance(payload, dict):
        sent = payload.get(TYPE)  # of any type, and as deep as JSON may be
        kind = sent if isinstance(sent, str) else ""
        if kind not in KINDS:
            wrong = f"{where}/{TYPE} must be equal to constant" if TYPE in payload else _missing(where, TYPE)
            return f"{wrong}, {neither}"
    first = [problem for name in _IDS if (problem := next(_problems(payload, kind, where, name), None))]
    return ", ".join([*first, neither]) if len(first) == len(_IDS) else neither


def _payload(request: Request, index: int | None) -> object:
    """Return the body, or the item of a batch's body at an index; `_UNREAD` if it is too long or unreadable."""
    if len(request.body) > _MAX_BODY:
        return _UNREAD
    try:
        body = decode(request.body)
    except Undecodable:
        return _UNREAD
    if index is None:
        return body
    assert isinstance(body, dict), "parse.batch makes items of nothing else"
    return body[BATCH][index]


def _problems(payload: object, kind: str, where: str, name: str) -> Iterator[str]:
    """Yield what is wrong by the option that requires the id `name`, in the order of upstream's checks."""
    if not isinstance(payload, dict):
        yield f"{where} must be object"
        return
    for field in (*REQUIRED.get(kind, (MESSAGE_ID,)), name):
        if field not in payload:
            yield _missing(where, field)
    for field in (MESSAGE_ID, name):
        if text(payload.get(field)) is None:
            yield f"{where}/{field} must be string"
    for field, expected in FIELDS[kind].items():
        if not _is(expected, payload.get(field)):
            yield f"{where}/{field} must be {expected}"
        elif expected == "array" and payload.get(field):
            yield from _of_files(payload[field], f"{where}/{field}")


def _is(expected: str, value: object) -> bool:
    if value is None:
        return True
    if expected == "string":
        return text(value) is not None
    if expected == "boolean":
        return unwrapped(value) in (True, False, "true", "false", None)
    return isinstance(value, dict if expected == "object" else list)


def _of_files(files: list[object], where: str) -> Iterator[str]:
    for index, file in enumerate(files):
        if isinstance(file, dict):
            yield from _of_file(file, f"{where}/{index}")
        else:
            yield f"{where}/{index} must be object"


def _of_file(file: Fields, where: str) -> Iterator[str]:
    for field in FILE_FIELDS:
        if field not in file:
            yield _missing(where, field)
    kind, *others = FILE_FIELDS
    if file.get(kind) != FILE_TYPE:
        yield f"{where}/{kind} must be equal to constant"
    for field in others:
        if text(file.get(field)) is None:
            yield f"{where}/{field} must be string"


def _missing(where: str, field: str) -> str:
    return f"{where} must have required property '{field}'"
