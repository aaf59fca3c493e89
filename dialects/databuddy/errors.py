"""Refusals in the vendor's format: `{"status": "error", "message": ...}` and no other key (documented).

The statuses are those of the vendor's servers. Routes that refuse in words of their own have a function of their own,
`refuse_<route>`; `refuse` is for the others, and for requests that reach no route.
"""

from collections.abc import Mapping
from functools import partial

import attrs
import orjson

from dialects.databuddy.pixel import IMAGE
from gateway.dialect import Outcome, Reason, Refusal, Request, Response

Answer = tuple[int, str]
"""A status and a message."""

IMAGE_RETRY_SECONDS = 5  # the tracker loads an image that failed up to three times more


@attrs.frozen
class _Answers:
    """The answers that differ between routes. `bad_bodies` has messages by fault code."""

    no_credential: Answer = (400, "Missing client ID")
    unknown_credential: Answer = (400, "Invalid or inactive client ID")
    missing_scope: Answer = (403, "API key missing track:events scope")
    invalid_item: str = "Invalid event schema"
    bad_bodies: Mapping[str, str] = {
        "not_array": "Invalid event schema",
        "too_many": "Invalid event schema",
        "missing_website_id": "Missing websiteId",
    }


_BAD_BODY = "Invalid request body"
_OTHER = "Request could not be processed"  # for a reason that has no text of its own yet
_UNKNOWN_SITE = (404, "Website not found")
_NO_LLM_KEY = (401, "Invalid or missing API key with write:llm scope")
_SAME_FOR_ALL: Mapping[Reason, Answer] = {
    Reason.TOO_LARGE: (413, "Payload too large"),
    Reason.ENCODING: (415, "Unsupported content encoding"),
    Reason.TIMEOUT: (408, "Request body timed out"),
    Reason.ORIGIN: (403, "Origin not authorized"),
    Reason.FOREIGN_SITE: (403, "Website scope mismatch"),
    Reason.LIMITED: (429, "Rate limit exceeded"),
    Reason.IDEMPOTENCY_KEY: (400, "Invalid Idempotency-Key header"),
    Reason.CONFLICT: (422, "Idempotency-Key was already used with a different request"),
    Reason.UNAVAILABLE: (503, "Analytics delivery temporarily unavailable"),
    Reason.INTERNAL: (500, "Internal server error"),
}
_NO_IMAGE = {Reason.UNAVAILABLE: 503, Reason.LIMITED: 429, Reason.INTERNAL: 500}


def _refuse(_request: Request, refusal: Refusal, *, answers: _Answers) -> Response:
    reason = refusal.reason
    if reason in (Reason.NOT_FOUND, Reason.METHOD_NOT_ALLOWED):
        return Response(404)
    if reason is Reason.NO_CREDENTIAL:
        return _error(*answers.no_credential)
    if reason in (Reason.UNKNOWN_CREDENTIAL, Reason.REVOKED_CREDENTIAL, Reason.UNKNOWN_SITE):
        return _error(*answers.unknown_credential)
    if reason is Reason.MISSING_SCOPE:
        return _error(*answers.missing_scope)
    if reason is Reason.BODY:
        return _error(400, answers.bad_bodies.get(refusal.faults[0].code, _BAD_BODY))
    if reason is Reason.INVALID:
        is_unknown = any(is_unknown_type(outcome) for outcome in refusal.outcomes)
        return _error(400, "Unknown event type" if is_unknown else answers.invalid_item)
    return _error(*_SAME_FOR_ALL.get(reason, (reason.status, _OTHER)))


refuse = partial(_refuse, answers=_Answers())
refuse_batch = partial(
    _refuse,
    answers=_Answers(bad_bodies={"not_array": "Batch endpoint expects array of events", "too_many": "Batch too large"}),
)
refuse_track = partial(
    _refuse,
    answers=_Answers(
        no_credential=(401, "API key or website_id required"),
        unknown_credential=_UNKNOWN_SITE,
        invalid_item=_BAD_BODY,
    ),
)
refuse_identify = partial(_refuse, answers=_Answers(unknown_credential=_UNKNOWN_SITE, invalid_item=_BAD_BODY))
refuse_llm = partial(
    _refuse, answers=_Answers(no_credential=_NO_LLM_KEY, missing_scope=_NO_LLM_KEY, invalid_item=_BAD_BODY)
)


def refuse_pixel(_request: Request, refusal: Refusal) -> Response:
    """Return the image, also for a refusal. If a retry can help, return no image, so that the tracker retries."""
    status = _NO_IMAGE.get(refusal.reason)
    return IMAGE if status is None else Response(status, headers={"Retry-After": str(IMAGE_RETRY_SECONDS)})


def is_unknown_type(outcome: Outcome) -> bool:
    """Return whether an item was rejected for its `type`."""
    return any(fault.code == "unknown_type" for fault in outcome.faults)


def _error(status: int, message: str) -> Response:
    return Response(status, orjson.dumps({"status": "error", "message": message}))
