"""What GoatCounter's decoder says of a body of `POST /api/v0/count`.

It reads JSON into typed fields before it looks at a single hit. So a field that it does not
know, or a value of another type, refuses the whole request, and no hit of it is counted.
"""

from collections.abc import Mapping

from gateway.dialect import Fault, json_type

from goatcounter_dialect.wire import BOOLEANS, HIT_FIELDS, is_time, numbers

MOST_HITS = 500

_REQUEST_FIELDS = frozenset({"no_sessions", "filter", "hits"})


def body_fault(body: object) -> Fault | None:
    """Return what is wrong with the body as a whole. `null` is the same as nothing."""
    if body is None:
        return Fault("no_hits")
    if not isinstance(body, dict):
        return _type("", "object", body)
    fault = _unknown("", body, _REQUEST_FIELDS) or _request_type(body)
    if fault is not None:
        return fault
    hits = body.get("hits") or []
    if not hits:
        return Fault("no_hits")
    if len(hits) > MOST_HITS:
        return Fault("maxItems", "/hits", {"limit": MOST_HITS})
    for index, hit in enumerate(hits):
        fault = _hit_fault(f"/hits/{index}", hit)
        if fault is not None:
            return fault
    if any(name != "ip" for name in body.get("filter") or []):
        return Fault("enum", "/filter", {"allowed": ["ip"]})
    return None


def _request_type(body: Mapping[str, object]) -> Fault | None:
    for name, kind, word in (("hits", list, "array"), ("filter", list, "array"), ("no_sessions", bool, "boolean")):
        value = body.get(name)
        if value is not None and not isinstance(value, kind):
            return _type(f"/{name}", word, value)
    names = body.get("filter") or []
    assert isinstance(names, list)
    for index, name in enumerate(names):
        if not isinstance(name, str):
            return _type(f"/filter/{index}", "string", name)
    return None


def _hit_fault(place: str, hit: object) -> Fault | None:
    if hit is None:
        return None
    if not isinstance(hit, dict):
        return _type(place, "object", hit)
    fault = _unknown(place, hit, HIT_FIELDS)
    if fault is not None:
        return fault
    for name, value in hit.items():
        fault = None if value is None else _field_fault(f"{place}/{name}", name, value)
        if fault is not None:
            return fault
    return None


def _field_fault(place: str, name: str, value: object) -> Fault | None:
    match name:
        case "event":
            return None if _is_boolean(value) else _type(place, "boolean", value)
        case "bot":
            return None if type(value) is int else _type(place, "integer", value)
        case "size":
            return None if numbers(value) is not None else Fault("size", place)
        case _ if not isinstance(value, str):
            return _type(place, "string", value)
        case "created_at":
            return None if is_time(value) else Fault("not_a_time", place)
        case _:
            return None


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool) or str(value) in BOOLEANS


def _unknown(place: str, sent: Mapping[str, object], known: frozenset[str]) -> Fault | None:
    """Return a fault at the object that has an unknown field: its name is the client's, and not repeated."""
    return None if sent.keys() <= known else Fault("unknown_parameter", place)


def _type(place: str, expected: str, value: object) -> Fault:
    return Fault("type", place, {"expected": expected, "received": json_type(value)})
