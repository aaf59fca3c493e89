"""Tranthor's exact answers: 204 for everything taken, Fastify's error bodies for the rest. Pure.

The texts of 401, 404, 413, the empty body and alias are upstream's own; those of limits, idempotency and outages are
ours in the same shape, since upstream has none.
"""

import json
from http import HTTPStatus

from dialects.tranthor.complaints import of_body, of_items
from gateway.dialect import Accepted, Fault, Reason, Refusal, Request, Response

_JSON = "application/json; charset=utf-8"
_TAKEN = Response(204)

_VALIDATION = "FST_ERR_VALIDATION"
_UNREAD = "FST_ERR_CTP_INVALID_CONTENT_LENGTH", "Request body size did not match Content-Length"
_EMPTY = "FST_ERR_CTP_EMPTY_JSON_BODY", "Body cannot be empty when content-type is set to 'application/json'"


def render(_handled: Accepted) -> Response:
    """Return the one answer to what was taken: stored, seen before or quarantined."""
    return _TAKEN


def refuse(request: Request, refusal: Refusal) -> Response:
    """Return the answer to a request that was not taken."""
    reason = refusal.reason
    if reason is Reason.INVALID:
        return _error(400, of_items(request, refusal.outcomes), _VALIDATION)
    if reason is Reason.BODY:
        return _bad_body(refusal.faults[0])
    if reason in _KNOWN:
        return _KNOWN[reason]
    if reason in (Reason.NOT_FOUND, Reason.METHOD_NOT_ALLOWED):
        return _no_route(request)
    if reason is Reason.ENCODING:
        message = f"Unsupported Content-Encoding: {refusal.detail.get('encoding')}"
        return _error(415, message, "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return _WRONG_KEY_ON_TRACK if request.path.endswith("/track") else _WRONG_KEY


def not_implemented(_request: Request) -> Response:
    """Return the answer of `/alias`, a stub upstream too: whatever is sent, with or without a key."""
    return _NOT_IMPLEMENTED


def _bad_body(fault: Fault) -> Response:
    if fault.code == "empty":
        return _error(400, _EMPTY[1], _EMPTY[0])
    if fault.code in ("invalid_utf8", "malformed_encoding"):
        return _error(400, _UNREAD[1], _UNREAD[0])
    if fault.code == "malformed":
        return _error(400, f"{fault.detail['problem']} in JSON at position {fault.detail['offset']}")
    if fault.code == "too_deep":
        return _error(400, f"JSON is nested deeper than {fault.detail['limit']} levels")
    return _error(400, of_body(fault), _VALIDATION)


def _no_route(request: Request) -> Response:
    message = f"Route {request.method}:{request.path} not found"
    return _json(404, {"message": message, "error": "Not Found", "statusCode": 404})


def _error(status: int, message: str, code: str | None = None) -> Response:
    """Return an error in Fastify's shape; only its own errors have a code."""
    body: dict[str, object] = {"statusCode": status}
    if code is not None:
        body["code"] = code
    return _json(status, {**body, "error": _PHRASES.get(status) or HTTPStatus(status).phrase, "message": message})


def _json(status: int, body: object) -> Response:
    # A path or a header may hold what UTF-8 cannot: escape everything that is not ASCII.
    return Response(status, json.dumps(body, separators=(",", ":")).encode("ascii"), _JSON)


_PHRASES = {413: "Payload Too Large", 422: "Unprocessable Entity"}  # Node's; Python's vary by version

_WRONG_KEY_ON_TRACK = _json(401, {"message": "Invalid write key."})
_WRONG_KEY = _json(401, {"message": "InvalidWriteKey"})
_NOT_IMPLEMENTED = _json(400, {"message": "Not yet implemented."})

_KNOWN = {
    Reason.TOO_LARGE: _error(413, "Request body is too large", "FST_ERR_CTP_BODY_TOO_LARGE"),
    Reason.TIMEOUT: _error(408, "Client Timeout", "ERR_HTTP_REQUEST_TIMEOUT"),
    Reason.LIMITED: _error(429, "Rate limit exceeded"),
    Reason.CONFLICT: _error(422, "Idempotency-Key was already used for another request"),
    Reason.IDEMPOTENCY_KEY: _error(400, "Idempotency-Key must have 1 to 255 ASCII characters"),
    Reason.UNAVAILABLE: _error(503, "Event storage is unavailable"),
    Reason.INTERNAL: _error(500, "Internal Server Error"),
}
