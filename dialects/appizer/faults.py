"""Faults of bodies and items to the vendor's message, code and details. The first fault is the one that is told."""

from collections.abc import Mapping

import attrs

from gateway.dialect import Fault, Refusal, value_class

NO_DETAILS: Mapping[str, object] = {}

_MISSING = frozenset({"required", "pattern"})  # the schemas' only pattern says "not blank"
_ISSUES = {
    "empty": "Body is empty",
    "malformed": "Body is not valid JSON",
    "invalid_utf8": "Body is not valid UTF-8",
    "malformed_encoding": "Body is not what its Content-Encoding says",
    "not_an_object": "Body must be a JSON object",
    "too_deep": "Nested too deeply",
    "lone_surrogate": "Text is not valid Unicode",
    "number_too_large": "Number is too large",
    "integer_too_long": "Number has too many digits",
    "nul_in_identifier": "Identifiers must not contain NUL",
}


@value_class
class Problem:
    """What the envelope says beside the status."""

    message: str
    code: str
    details: Mapping[str, object] = NO_DETAILS


BAD_BODY = Problem("Invalid request body", "INVALID_REQUEST")


def explain(refusal: Refusal, array: str = "") -> Problem:
    """Return the problem of a refused body or of refused items; `array` points at where the items lie, if in one."""
    for fault in refusal.faults:
        return _problem(fault.pointer, fault)
    for index, outcome in enumerate(refusal.outcomes):
        for fault in outcome.faults:
            return _problem(f"{array}/{index}{fault.pointer}" if array else fault.pointer, fault)
    return BAD_BODY


def _problem(pointer: str, fault: Fault) -> Problem:
    where = field_name(pointer)
    if fault.code in _MISSING or (fault.code == "type" and fault.detail.get("received") == "null" and fault.pointer):
        missing = {"field": where, "issue": "Field is required"}
        return Problem(f"Missing required field: {where}", "MISSING_FIELD", missing)
    if fault.code == "type":
        return Problem("Invalid field type", "INVALID_TYPE", {"field": where or "body", **fault.detail})
    details: dict[str, object] = {"field": where} if where else {}
    if fault.code in ("minItems", "maxItems"):
        details["issue"] = f"{fault.code[:3]} {fault.detail['limit']}"
        details["received"] = fault.detail["received"]
    else:
        details["issue"] = _ISSUES.get(fault.code, "Invalid value")
    return attrs.evolve(BAD_BODY, details=details)


def field_name(pointer: str) -> str:
    """Return a JSON pointer as the vendor names fields: `/events/3/user_id` is `events[3].user_id`."""
    name = ""
    for step in pointer.split("/")[1:]:
        if step.isdecimal():
            name += f"[{step}]"
        else:
            name += ("." if name else "") + step.replace("~1", "/").replace("~0", "~")
    return name
