"""Refusals in the vendor's format: the error bodies of upstream's framework, Fastify. Pure.

The texts of 401, 404, 413, an empty body and `/alias` are upstream's. It has no limits, idempotency keys or outages of
its own: for these the shape is Fastify's and the text is the gateway's.
"""

import json
from http import HTTPStatus

from dialects.tranthor import validation_texts
from gateway.dialect import Fault, Reason, Refusal, Request, Response

_JSON = "application/json; charset=utf-8"
_VALIDATION = "FST_ERR_VALIDATION"
_PHRASES = {413: "Payload Too Large", 422: "Unprocessable Entity"}  # Node's; Python's differ between its versions


def refuse(request: Request, refusal: Refusal) -> Response:
    """Return the answer to a refused request. Whatever is wrong with a credential is answered like a wrong key."""
    reason = refusal.reason
    if reason is Reason.INVALID:
        return _error(400, validation_texts.of_items(request, refusal.outcomes), _VALIDATION)
    if reason is Reason.BODY:
        return _bad_body(refusal.faults[0])
    if reason in _CONSTANT:
        return _CONSTANT[reason]
    if reason in (Reason.NOT_FOUND, Reason.METHOD_NOT_ALLOWED):
        return _no_route(request)
    if reason is Reason.ENCODING:
        text = f"Unsupported Content-Encoding: {refusal.detail.get('encoding')}"
        return _error(415, text, "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    if reason not in _WRONG_KEYS:
        return _error(reason.status, "Request could not be processed")
    return _WRONG_KEY_ON_TRACK if request.path.endswith("/track") else _WRONG_KEY


def not_implemented(_request: Request) -> Response:
    """Return the answer of `/alias`, which upstream never implemented, whatever is sent and by whomever."""
    return _NOT_IMPLEMENTED


def _bad_body(fault: Fault) -> Response:
    if fault.code == "empty":
        text = "Body cannot be empty when content-type is set to 'application/json'"
        return _error(400, text, "FST_ERR_CTP_EMPTY_JSON_BODY")
    if fault.code in ("invalid_utf8", "malformed_encoding"):
        text = "Request body size did not match Content-Length"
        return _error(400, text, "FST_ERR_CTP_INVALID_CONTENT_LENGTH")
    if fault.code == "malformed":
        return _error(400, f"{fault.detail['problem']} in JSON at position {fault.detail['offset']}")
    if fault.code == "too_deep":
        return _error(400, f"JSON is nested deeper than {fault.detail['limit']} levels")
    return _error(400, validation_texts.of_body(fault), _VALIDATION)


def _no_route(request: Request) -> Response:
    text = f"Route {request.method}:{request.path} not found"
    return _json(404, {"message": text, "error": "Not Found", "statusCode": 404})


def _error(status: int, text: str, code: str | None = None) -> Response:
    """Return an error in Fastify's shape. Only Fastify's own errors have a code."""
    body: dict[str, object] = {"statusCode": status}
    if code is not None:
        body["code"] = code
    return _json(status, {**body, "error": _PHRASES.get(status) or HTTPStatus(status).phrase, "message": text})


def _json(status: int, body: object) -> Response:
    # All of it ASCII: a path or a header may hold lone surrogates, which UTF-8 cannot encode.
    return Response(status, json.dumps(body, separators=(",", ":")).encode("ascii"), _JSON)


_WRONG_KEY_ON_TRACK = _json(401, {"message": "Invalid write key."})
_WRONG_KEY = _json(401, {"message": "InvalidWriteKey"})
_NOT_IMPLEMENTED = _json(400, {"message": "Not yet implemented."})

_WRONG_KEYS = {
    Reason.NO_CREDENTIAL,
    Reason.UNKNOWN_CREDENTIAL,
    Reason.REVOKED_CREDENTIAL,
    Reason.MISSING_SCOPE,
    Reason.ORIGIN,
    Reason.UNKNOWN_SITE,
    Reason.FOREIGN_SITE,
}
_CONSTANT = {
    Reason.TOO_LARGE: _error(413, "Request body is too large", "FST_ERR_CTP_BODY_TOO_LARGE"),
    Reason.TIMEOUT: _error(408, "Client Timeout", "ERR_HTTP_REQUEST_TIMEOUT"),
    Reason.LIMITED: _error(429, "Rate limit exceeded"),
    Reason.CONFLICT: _error(422, "Idempotency-Key was already used for another request"),
    Reason.IDEMPOTENCY_KEY: _error(400, "Idempotency-Key must have 1 to 255 ASCII characters"),
    Reason.UNAVAILABLE: _error(503, "Event storage is unavailable"),
    Reason.INTERNAL: _error(500, "Internal Server Error"),
}
