"""GoatCounter's answers, and what it says of a request that it refuses.

The API answers JSON with either `error`, a text, or `errors`, a text by the hit's index.
The pixel answers with its image in any case, and says what is wrong in `X-Goatcounter`.
"""

import json
import math
from collections.abc import Mapping, Sequence

from gateway.dialect import Fault, Quota, Reason, Refusal, Request, Response

from goatcounter_dialect import credentials

SCHEMA = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}

_GIF = bytes.fromhex("47494638396101000100800100000000ffffff21f904010a0001002c00000000010001000002024c01003b")

_NO_SESSION = "session or browser/IP not set; use no_sessions if you don't want to track unique visits"

_REASONS = {
    Reason.NOT_FOUND: "not found",
    Reason.METHOD_NOT_ALLOWED: "method not allowed",
    Reason.NO_CREDENTIAL: "no Authorization header",
    Reason.UNKNOWN_CREDENTIAL: "unknown token",
    Reason.REVOKED_CREDENTIAL: "unknown token",
    Reason.LIMITED: "rate limited exceeded",
}


def api(request: Request, refusal: Refusal) -> Response:
    """Return the error of the API."""
    status = refusal.reason.status
    headers = dict(limits(request, refusal.quota))
    if "allowed" in refusal.detail:
        headers["Allow"] = str(refusal.detail["allowed"])
    if status == 401:
        headers["WWW-Authenticate"] = "Basic realm=GoatCounter"
    return json_response(status, {"error": _api_text(request, refusal)}, headers)


def pixel(_request: Request, refusal: Refusal) -> Response:
    """Return the image, with what is wrong in a header."""
    status = 400 if refusal.reason.status in (401, 404) else refusal.reason.status
    headers = {"X-Goatcounter": _pixel_text(refusal)}
    if "allowed" in refusal.detail:
        headers["Allow"] = str(refusal.detail["allowed"])
    return image(status, headers)


def of_hit(faults: Sequence[Fault]) -> str:
    """Return what GoatCounter says of one hit: its fields in their order, each with a dot."""
    if any(fault.code == "no_session" for fault in faults):
        return _NO_SESSION
    by_field: dict[str, list[str]] = {}
    for fault in faults:
        by_field.setdefault(_field(fault), []).append(_wrong(fault))
    texts = [f"{field}: {', '.join(wrong)}." if field else "not valid." for field, wrong in sorted(by_field.items())]
    if not texts:
        return "not valid."
    return texts[0] if len(texts) == 1 else "".join(f"{text}\n" for text in texts)


def limits(request: Request, quota: Quota | None) -> dict[str, str]:
    """Return the headers of the rate limit, if there is one."""
    if quota is None:
        return {}
    return {
        "X-Rate-Limit-Limit": str(quota.limit),
        "X-Rate-Limit-Remaining": str(quota.remaining),
        "X-Rate-Limit-Reset": str(max(0, quota.reset - math.ceil(request.received_at / 1000))),
    }


def json_response(status: int, body: object, headers: Mapping[str, str]) -> Response:
    """Return an answer of the API."""
    encoded = json.dumps(body, separators=(",", ":")).encode()
    return Response(status, encoded, "application/json; charset=utf-8", headers=headers)


def image(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return the image of one pixel, which a page of any site may show."""
    return Response(
        status, _GIF, "image/gif", headers={"Cross-Origin-Resource-Policy": "cross-origin", **(headers or {})}
    )


def _api_text(request: Request, refusal: Refusal) -> str:
    match refusal.reason:
        case Reason.UNKNOWN_CREDENTIAL if not credentials.is_token(request):
            return "wrong format for Authorization header"
        case Reason.MISSING_SCOPE:
            return f"requires '{credentials.COUNT}' permissions"
        case Reason.BODY if refusal.faults:
            return _body_text(refusal.faults[0])
        case _:
            return _default(refusal)


def _body_text(fault: Fault) -> str:
    match fault.code:
        case "empty" | "no_hits":
            return "no hits"
        case "maxItems":
            return f"maximum amount of pageviews in one batch is {fault.detail.get('limit')}"
        case "unknown_parameter":
            return f"unknown parameter in {fault.pointer or 'the body'}"
        case "enum":
            return "unknown value in Filter"
        case "type":
            return f"invalid JSON: {fault.pointer or 'the body'} must be of type {fault.detail.get('expected')}"
        case "size" | "not_a_time":
            return f"invalid JSON: {fault.pointer} cannot be read"
        case _:
            return f"invalid JSON: {fault.code}"


def _pixel_text(refusal: Refusal) -> str:
    if refusal.reason in (Reason.NO_CREDENTIAL, Reason.UNKNOWN_CREDENTIAL, Reason.REVOKED_CREDENTIAL):
        return "no site at this domain"
    faults = [fault for outcome in refusal.outcomes for fault in outcome.faults]
    if refusal.reason is not Reason.INVALID or not faults:
        return _default(refusal)
    undecodable = next((fault for fault in faults if fault.code in ("pattern", "enum")), None)
    if undecodable is not None:
        return f"error decoding parameters: {undecodable.pointer[1:]}"
    if any(fault.code == "bot" for fault in faults):
        return "wrong value: b"
    return f"not valid: {' '.join(of_hit(faults).split())}"


def _default(refusal: Refusal) -> str:
    word: str = refusal.reason.value
    return _REASONS.get(refusal.reason, word.replace("_", " "))


def _field(fault: Fault) -> str:
    """Return the field's name as GoatCounter's texts have it, for those of the pixel too; `""` for the hit."""
    name = fault.pointer[1:]
    names = {"p": "path", "t": "title", "r": "ref", "s": "size", "user_agent": "user_agent_header"}
    return names.get(name, name)


def _wrong(fault: Fault) -> str:
    match fault.code:
        case "required" | "minLength":
            return "must be set, must be longer than 1 characters"
        case "maxLength":
            return f"must be shorter than {fault.detail.get('limit')} characters"
        case "future":
            return "in the future"
        case "maximum":
            return "screen size is out of range of int32"
        case _:
            return "not valid"
