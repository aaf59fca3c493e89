"""What is wrong with a message, in the words of upstream's validator (ajv behind Fastify). Pure.

A complaint is composed from the payload itself, read once more, and not from the schema's faults: an anonymous
caller's are never explained. Upstream checks each message against two options, one with `userId`, one with
`anonymousId`, says each one's first complaint, then that neither matched. Of a batch's ten options only the two of
the item's own type are said.
"""

from collections.abc import Iterator, Sequence

from dialects.tranthor.coerce import alone, text
from dialects.tranthor.wire import KINDS
from gateway.dialect import Fault, Outcome, Request, Undecodable, decode

_MAX_BODY = 65536  # bytes: a longer body is not read twice for the sake of a message
_UNREAD = object()

_IDS = ("userId", "anonymousId")
_REQUIRED = {"track": ("messageId", "event"), "group": ("messageId", "groupId")}
_OPTIONAL = {"timestamp": "string", "context": "object"}
_PAGE = {"name": "string", **_OPTIONAL, "properties": "object"}
_FIELDS = {
    "identify": {**_OPTIONAL, "traits": "object"},
    "track": {"event": "string", **_OPTIONAL, "properties": "object", "files": "array"},
    "page": _PAGE,
    "screen": _PAGE,
    "group": {"groupId": "string", "assigned": "boolean", **_OPTIONAL, "traits": "object"},
}
_FILE = ("type", "name", "mimeType", "data")

_IN_OUR_WORDS = {
    "lone_surrogate": "must be text without lone surrogates",
    "number_too_large": "must be a number that a double can hold",
    "integer_too_long": "must be an integer of at most 1000 digits",
    "too_deep": "must be nested less deeply",
    "nul_in_identifier": "must have no NUL in its identifiers",
    "no_group_id": "must NOT have fewer than 1 characters",
}
"""For what upstream takes and we do not."""


def of_body(fault: Fault) -> str:
    """Return the complaint about a batch's own shape, or about what lies beside its items."""
    if fault.code in _IN_OUR_WORDS:
        return f"body{fault.pointer} {_IN_OUR_WORDS[fault.code]}"
    if fault.code == "required":
        return _missing("body", fault.pointer[1:])
    return f"body{fault.pointer} must be {fault.detail.get('expected')}"


def of_items(request: Request, outcomes: Sequence[Outcome]) -> str:
    """Return the complaint about the first bad item of a request."""
    index, fault = next((index, each.faults[0]) for index, each in enumerate(outcomes) if each.faults)
    kind = request.path.rpartition("/")[2]
    is_batch = kind == "batch"
    where = f"body/batch/{index}" if is_batch else "body"
    if fault.code in _IN_OUR_WORDS:
        return f"{where}{fault.pointer} {_IN_OUR_WORDS[fault.code]}"
    neither = f"{where} must match a schema in anyOf"
    if fault.code == "no_id":
        return ", ".join([_missing(where, _IDS[0]), _missing(where, _IDS[1]), neither])
    payload = _payload(request, index if is_batch else None)
    if payload is _UNREAD:
        return neither
    if is_batch and isinstance(payload, dict):
        kind = str(payload.get("type"))
        if kind not in KINDS:
            typed = f"{where}/type must be equal to constant" if "type" in payload else _missing(where, "type")
            return f"{typed}, {neither}"
    said = [complaint for name in _IDS if (complaint := next(_complaints(payload, kind, where, name), None))]
    return ", ".join([*said, neither]) if len(said) == len(_IDS) else neither


def _payload(request: Request, index: int | None) -> object:
    if len(request.body) > _MAX_BODY:
        return _UNREAD
    try:
        body = decode(request.body)
    except Undecodable:
        return _UNREAD
    # parse() lets a request with items through only where the body is an object with a list of them in `batch`.
    return body if index is None else body["batch"][index]  # type: ignore[index]


def _complaints(payload: object, kind: str, where: str, name: str) -> Iterator[str]:
    """Yield what one of the two options has against a message, in the order of upstream's checks."""
    if not isinstance(payload, dict):
        yield f"{where} must be object"
        return
    for field in (*_REQUIRED.get(kind, ("messageId",)), name):
        if field not in payload:
            yield _missing(where, field)
    for field in ("messageId", name):
        if text(payload.get(field)) is None:
            yield f"{where}/{field} must be string"
    for field, expected in _FIELDS[kind].items():
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
        return alone(value) in (True, False, "true", "false", None)
    return isinstance(value, dict if expected == "object" else list)


def _of_files(files: list[object], where: str) -> Iterator[str]:
    for index, file in enumerate(files):
        place = f"{where}/{index}"
        if not isinstance(file, dict):
            yield f"{place} must be object"
            continue
        for field in _FILE:
            if field not in file:
                yield _missing(place, field)
        if file.get("type") != "Base64Encoded":
            yield f"{place}/type must be equal to constant"
        for field in _FILE[1:]:
            if text(file.get(field)) is None:
                yield f"{place}/{field} must be string"


def _missing(where: str, field: str) -> str:
    return f"{where} must have required property '{field}'"
