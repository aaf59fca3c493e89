"""Refusals in the vendor's format: one envelope, `{"error": <reason phrase>, "message", "code", "details"?}`.

The envelope is documented; the codes of 404, 405, 408, 409, 413, 415, 500 and 503, and DOMAIN_NOT_AUTHORIZED, are
inferred. It has room for one fault, so the first one is reported.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import attrs
import orjson

from dialects.appizer.credentials import APP
from dialects.appizer.limits import rate_headers, window_text
from dialects.appizer.wire import APP_ID_FIELDS, EVENTS
from gateway.dialect import NOTHING, Fault, Reason, Refusal, Request, Response, value_class


@value_class
class Problem:
    """The fields of the envelope that do not follow from the status."""

    message: str
    code: str
    details: Mapping[str, object] = NOTHING


_PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

_BAD_BODY = Problem("Invalid request body", "INVALID_REQUEST")
_NO_PERMISSION = "API key does not have permission for this operation"
_REFUSALS: dict[Reason, tuple[int, Problem]] = {
    Reason.NOT_FOUND: (404, Problem("Endpoint not found", "NOT_FOUND")),
    Reason.METHOD_NOT_ALLOWED: (405, Problem("Method not allowed", "METHOD_NOT_ALLOWED")),
    Reason.TOO_LARGE: (413, Problem("Request body is too large", "PAYLOAD_TOO_LARGE")),
    Reason.ENCODING: (415, Problem("Unsupported Content-Encoding", "UNSUPPORTED_ENCODING")),
    Reason.TIMEOUT: (408, Problem("Request body was not received in time", "REQUEST_TIMEOUT")),
    Reason.NO_CREDENTIAL: (401, Problem("Missing Authorization header", "MISSING_AUTH")),
    Reason.UNKNOWN_CREDENTIAL: (401, Problem("Invalid API key", "INVALID_API_KEY")),
    Reason.REVOKED_CREDENTIAL: (401, Problem("API key has been revoked", "REVOKED_API_KEY")),
    Reason.MISSING_SCOPE: (403, Problem(_NO_PERMISSION, "INSUFFICIENT_PERMISSIONS")),
    Reason.ORIGIN: (403, Problem("Domain is not authorized for this app", "DOMAIN_NOT_AUTHORIZED")),
    Reason.UNKNOWN_SITE: (401, Problem("Invalid API key", "INVALID_API_KEY")),
    Reason.FOREIGN_SITE: (403, Problem(_NO_PERMISSION, "INSUFFICIENT_PERMISSIONS")),
    Reason.LIMITED: (429, Problem("Rate limit exceeded", "RATE_LIMIT_EXCEEDED")),
    Reason.BODY: (400, _BAD_BODY),
    Reason.INVALID: (400, _BAD_BODY),
    Reason.IDEMPOTENCY_KEY: (400, Problem("Invalid Idempotency-Key header", "INVALID_REQUEST")),
    Reason.CONFLICT: (409, Problem("Idempotency-Key was already used with a different request", "CONFLICT")),
    Reason.UNAVAILABLE: (503, Problem("Service temporarily unavailable", "SERVICE_UNAVAILABLE")),
    Reason.INTERNAL: (500, Problem("Something went wrong on our end", "INTERNAL_ERROR")),
}

_MISSING = frozenset({"required", "pattern"})  # the schemas' only pattern is "not blank"
_ISSUES = {
    "empty": "Body is empty",
    "malformed": "Body is not valid JSON",
    "invalid_utf8": "Body is not valid UTF-8",
    "malformed_encoding": "Body is not what its Content-Encoding says",
    "not_an_object": "Body must be a JSON object",
    "too_deep": "Nested too deeply",
    "lone_surrogate": "Text is not valid Unicode",
    "integer_too_long": "Number has too many digits",
    "nul_in_identifier": "Identifiers must not contain NUL",
}


def refuse(request: Request, refusal: Refusal) -> Response:
    """Return the envelope with the rate headers, and with `Allow` on 405."""
    return _refuse(request, refusal, array="")


def refuse_batch(request: Request, refusal: Refusal) -> Response:
    """Return the same for a batch: faults of its items are located in the array, as in `events[3].user_id`."""
    return _refuse(request, refusal, array=f"/{EVENTS}")


def _refuse(request: Request, refusal: Refusal, *, array: str) -> Response:
    status, problem = _REFUSALS.get(refusal.reason) or (refusal.reason.status, _other(refusal.reason))
    details = problem.details
    if refusal.reason in (Reason.BODY, Reason.INVALID):
        problem = _first_problem(refusal, array)
        details = problem.details
    elif refusal.reason in _DETAILS:
        details = _DETAILS[refusal.reason](refusal)
    body = {
        "error": _PHRASES.get(status) or HTTPStatus(status).phrase,
        "message": problem.message,
        "code": problem.code,
    }
    headers = rate_headers(request, refusal.quota)
    if refusal.reason is Reason.METHOD_NOT_ALLOWED:
        headers["Allow"] = str(refusal.detail.get("allowed", "POST, OPTIONS"))
    return Response(status, orjson.dumps({**body, "details": details} if details else body), headers=headers)


def _other(reason: Reason) -> Problem:
    """Return the problem of a reason that has no text of its own yet."""
    return Problem("Request could not be processed", reason.name)


def _first_problem(refusal: Refusal, array: str) -> Problem:
    for fault in refusal.faults:
        return _problem(fault.pointer, fault)
    for index, outcome in enumerate(refusal.outcomes):
        for fault in outcome.faults:
            return _problem(f"{array}/{index}{fault.pointer}" if array else fault.pointer, fault)
    return _BAD_BODY


def _problem(pointer: str, fault: Fault) -> Problem:
    field = field_name(pointer)
    if fault.code in _MISSING or (fault.code == "type" and fault.detail.get("received") == "null" and fault.pointer):
        details: dict[str, object] = {"field": field, "issue": "Field is required"}
        return Problem(f"Missing required field: {field}", "MISSING_FIELD", details)
    if fault.code == "type":
        return Problem("Invalid field type", "INVALID_TYPE", {"field": field or "body", **fault.detail})
    details = {"field": field} if field else {}
    if fault.code in ("minItems", "maxItems"):
        details["issue"] = f"{fault.code[:3]} {fault.detail['limit']}"
        details["received"] = fault.detail["received"]
    else:
        details["issue"] = _ISSUES.get(fault.code, "Invalid value")
    return attrs.evolve(_BAD_BODY, details=details)


def field_name(pointer: str) -> str:
    """Return a JSON pointer as the vendor names fields: `/events/3/user_id` is `events[3].user_id`."""
    name = ""
    for step in pointer.split("/")[1:]:
        if step.isdecimal():
            name += f"[{step}]"
        else:
            name += ("." if name else "") + step.replace("~1", "/").replace("~0", "~")
    return name


def _limit_details(refusal: Refusal) -> Mapping[str, object]:
    facts: Mapping[str, Any] = refusal.detail
    window = window_text(facts.get("window", 60))
    return {"limit": facts.get("limit"), "window": window, "retry_after": refusal.retry_after}


def _scope_details(refusal: Refusal) -> Mapping[str, object]:
    return {
        "required_permission": refusal.detail.get("required"),
        "current_permissions": refusal.detail.get("current"),
    }


def _app_details(refusal: Refusal) -> Mapping[str, object]:
    # The vendor's messages mention API keys only, so the details must say that it was the app id.
    if refusal.detail.get("kind") != APP.name:
        return NOTHING
    revoked = refusal.reason is Reason.REVOKED_CREDENTIAL
    return {"field": APP_ID_FIELDS[0], "issue": "App has been revoked" if revoked else "Unknown app id"}


def _size_details(refusal: Refusal) -> Mapping[str, object]:
    for fact, unit in (("limit", "bytes"), ("most_items", "items"), ("most_values", "JSON values")):
        if fact in refusal.detail:
            return {"issue": f"max {refusal.detail[fact]} {unit}"}
    return NOTHING


_DETAILS: dict[Reason, Callable[[Refusal], Mapping[str, object]]] = {
    Reason.LIMITED: _limit_details,
    Reason.MISSING_SCOPE: _scope_details,
    Reason.UNKNOWN_CREDENTIAL: _app_details,
    Reason.REVOKED_CREDENTIAL: _app_details,
    Reason.TOO_LARGE: _size_details,
}
