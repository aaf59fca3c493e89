"""Refusals in the vendor's format: `{"status": "failure", "message": ...}`.

The format and its status 400 are documented; the other statuses are inferred. The texts are the gateway's own, since
the vendor documents none. They never repeat a value that was sent.
"""

from collections.abc import Mapping

import orjson

from gateway.dialect import Fault, Reason, Refusal, Request, Response

_STATUS: Mapping[Reason, int] = {
    Reason.NOT_FOUND: 404,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.TIMEOUT: 408,
    Reason.CONFLICT: 409,
    Reason.TOO_LARGE: 413,
    Reason.ENCODING: 415,
    Reason.LIMITED: 429,
    Reason.INTERNAL: 500,
    Reason.UNAVAILABLE: 503,
}
"""All others that no repetition helps are 400, a wrong key too: to the vendor, it is a parameter of the request."""

_MESSAGES: Mapping[Reason, str] = {
    Reason.NOT_FOUND: "Nothing is served at this path: send events to /api/v1/track and users to /api/v1/identify.",
    Reason.METHOD_NOT_ALLOWED: "This path takes POST only: send the same request as a POST with a JSON body.",
    Reason.TIMEOUT: "The body did not arrive in time: send the request again.",
    Reason.CONFLICT: "Idempotency-Key was used before with another body: use a new key for each new request.",
    Reason.ENCODING: "Content-Encoding is not one that can be read here: send the body plain, or as gzip or deflate.",
    Reason.INTERNAL: "Something broke on our side and nothing was stored: send the request again later.",
    Reason.UNAVAILABLE: "The event could not be stored just now: send the request again later.",
    Reason.NO_CREDENTIAL: "No apiKey could be read: send the body as one JSON object with your project's API key "
    "as a string in the field apiKey.",
    Reason.UNKNOWN_CREDENTIAL: "apiKey is not known here: check it against the keys of your project.",
    Reason.REVOKED_CREDENTIAL: "apiKey was revoked: send a current key of your project.",
    Reason.MISSING_SCOPE: "apiKey may not do this: send a key of your project that may.",
    Reason.ORIGIN: "apiKey may not be used from this origin: add the page's host to the key's allowed origins.",
}

_BODY_FAULTS: Mapping[str, str] = {
    "empty": "The body is empty: send one JSON object.",
    "malformed": "The body is not valid JSON: send one JSON object.",
    "invalid_utf8": "The body is not valid UTF-8: send JSON encoded as UTF-8.",
    "not_object": "The body is not a JSON object: send one event per request; there is no batch.",
    "anyOf": "userId and anonymousId are both missing or empty: send at least one of them as a non-empty string.",
}
_VALUE_FAULTS: Mapping[str, str] = {
    "lone_surrogate": "holds half of a surrogate pair: send whole Unicode characters",
    "integer_too_long": "holds a number too long to keep: send it as a string",
    "too_deep": "is nested too deeply: send fewer levels",
    "nul_in_identifier": "holds a NUL character: leave it out",
}
_FIELDS: Mapping[str, str] = {"user_id": "userId", "anonymous_id": "anonymousId"}
"""Canonical names, as faults found in an event have them, and the vendor's."""

MAX_FIELD_NAME = 100  # characters


def refuse(_request: Request, refusal: Refusal) -> Response:
    """Return the failure, and `Allow` with 405."""
    body = orjson.dumps({"status": "failure", "message": _message(refusal)})
    allowed = refusal.detail.get("allowed")
    headers = {"Allow": str(allowed)} if refusal.reason is Reason.METHOD_NOT_ALLOWED and allowed else {}
    reason = refusal.reason
    status = _STATUS.get(reason) or (reason.status if reason.retryable else 400)
    return Response(status, body, headers=headers)


def _message(refusal: Refusal) -> str:
    message = _MESSAGES.get(refusal.reason)
    if message is not None:
        return message
    detail = refusal.detail
    if refusal.reason is Reason.TOO_LARGE:
        if "most_values" in detail:
            return f"The body has more than {detail['most_values']} JSON values: send less in one request."
        return f"The body is larger than {detail.get('limit')} bytes: send less in one request."
    if refusal.reason is Reason.LIMITED:
        limit = f"{detail.get('limit')} in {detail.get('window')} seconds"
        return f"Too many requests with this apiKey, the limit is {limit}: wait {refusal.retry_after} seconds."
    if refusal.reason is Reason.IDEMPOTENCY_KEY:
        return "Idempotency-Key is malformed: send 1 to 255 printable ASCII characters, or leave the header out."
    faults = refusal.faults or [fault for outcome in refusal.outcomes for fault in outcome.faults]
    return explain(faults[0]) if faults else "The request is not valid: check its fields."


def explain(fault: Fault) -> str:
    """Return one sentence that names the field and says what to do.

    `Fault("required", "/event")` gives `event is missing: send it as a non-empty string.`
    """
    code, field = fault.code, _field(fault)
    if code in _BODY_FAULTS and not fault.pointer:
        return _BODY_FAULTS[code]
    if code in _VALUE_FAULTS:
        return f"{field} {_VALUE_FAULTS[code]}."
    if code == "required":
        return f"{field} is missing: send it as a non-empty string."
    if code == "minLength":
        return f"{field} is empty: send it as a non-empty string."
    if code == "type":
        expected, received = fault.detail.get("expected"), fault.detail.get("received")
        return f"{field} is of type {received}: send it as {_article(expected)} {expected}."
    if code == "not_a_time":
        return f'{field} is not an ISO 8601 string: send one like "2021-12-02T00:30:08.276Z", or leave it out for now.'
    return f"{field} is not valid: check it against the fields of this call."


def _field(fault: Fault) -> str:
    name = fault.pointer[1:] or _FIELDS.get(str(fault.detail.get("field")), "The body")
    return name if len(name) <= MAX_FIELD_NAME else f"{name[:MAX_FIELD_NAME]}..."


def _article(noun: object) -> str:
    return "an" if noun == "object" else "a"
