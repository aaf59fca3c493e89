"""The vendor's errors, all in one envelope: `{"error": <reason phrase>, "message", "code", "details"?}` (documented).

The codes of 404, 405, 408, 409, 413, 415, 500 and 503, and DOMAIN_NOT_AUTHORIZED, are inferred.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from dialects.appizer.faults import BAD_BODY, Problem, explain
from dialects.appizer.limits import rate_headers, window_text
from gateway.dialect import Reason, Refusal, Request, Response

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
    Reason.BODY: (400, BAD_BODY),
    Reason.INVALID: (400, BAD_BODY),
    Reason.IDEMPOTENCY_KEY: (400, Problem("Invalid Idempotency-Key header", "INVALID_REQUEST")),
    Reason.CONFLICT: (409, Problem("Idempotency-Key was already used with a different request", "CONFLICT")),
    Reason.UNAVAILABLE: (503, Problem("Service temporarily unavailable", "SERVICE_UNAVAILABLE")),
    Reason.INTERNAL: (500, Problem("Something went wrong on our end", "INTERNAL_ERROR")),
}


def refuse(request: Request, refusal: Refusal) -> Response:
    """Answer a request that is refused: the envelope, the rate headers, and `Allow` where it belongs."""
    return _refuse(request, refusal, "")


def refuse_batch(request: Request, refusal: Refusal) -> Response:
    """Answer a batch that is refused: the faults of its items are named by their place in `events`."""
    return _refuse(request, refusal, "/events")


def _refuse(request: Request, refusal: Refusal, array: str) -> Response:
    status, problem = _REFUSALS[refusal.reason]
    details = problem.details
    if refusal.reason in (Reason.BODY, Reason.INVALID):
        problem = explain(refusal, array)
        details = problem.details
    elif refusal.reason in _DETAILS:
        details = _DETAILS[refusal.reason](refusal)
    body = {"error": _PHRASES[status], "message": problem.message, "code": problem.code}
    headers = rate_headers(request, refusal.quota)
    if refusal.reason is Reason.METHOD_NOT_ALLOWED:
        headers["Allow"] = str(refusal.detail.get("allowed", "POST, OPTIONS"))
    return Response(status, orjson.dumps({**body, "details": details} if details else body), headers=headers)


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
    """Say that it was the app id: the vendor's texts know of API keys only."""
    if refusal.detail.get("kind") != "app":
        return {}
    revoked = refusal.reason is Reason.REVOKED_CREDENTIAL
    return {"field": "app_id", "issue": "App has been revoked" if revoked else "Unknown app id"}


def _size_details(refusal: Refusal) -> Mapping[str, object]:
    return {"issue": f"max {refusal.detail['limit']} bytes"} if "limit" in refusal.detail else {}


_DETAILS: dict[Reason, Callable[[Refusal], Mapping[str, object]]] = {
    Reason.LIMITED: _limit_details,
    Reason.MISSING_SCOPE: _scope_details,
    Reason.UNKNOWN_CREDENTIAL: _app_details,
    Reason.REVOKED_CREDENTIAL: _app_details,
    Reason.TOO_LARGE: _size_details,
}
