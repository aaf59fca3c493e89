"""The vendor's answers to what was accepted: 200 everywhere (inferred; its pages print bodies only)."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from dialects.appizer.limits import rate_headers
from dialects.appizer.wire import present
from gateway.dialect import Accepted, Response, from_millis


def render_event(handled: Accepted) -> Response:
    """Answer `/events`."""
    event_id = _event_id(handled)
    return _answer(handled, {"success": True, "event_id": event_id, "message": "Event tracked successfully"})


def render_batch(handled: Accepted) -> Response:
    """Answer `/events/batch`: a count, no ids."""
    count = len(handled.outcomes)
    body = {"success": True, "processed_count": count, "message": "Batch events tracked successfully"}
    return _answer(handled, body)


def render_track(handled: Accepted) -> Response:
    """Answer `/events/track` as the diagrams do; under an Idempotency-Key without a time, which a replay has not."""
    body: dict[str, object] = {"success": True, "eventId": _event_id(handled)}
    if "idempotency-key" not in handled.request.headers:
        body["timestamp"] = from_millis(handled.request.received_at)
    return _answer(handled, body)


def render_user(handled: Accepted) -> Response:
    """Answer `/users`: `user_id` is the vendor's kind of id, always the same for a user; the client's is external."""
    user_id = _sent(handled)["user_id"]
    body = {
        "success": True,
        "user_id": _internal_id(handled.project, user_id),
        "external_id": user_id,
        "message": "User created/updated successfully",
    }
    return _answer(handled, body)


def render_alias(handled: Accepted) -> Response:
    """Answer `/users/aliases` with the ids that were sent."""
    sent = _sent(handled)
    user_id = present(sent.get("user_id")) or sent.get("primary_user_id")
    body = {"success": True, "alias_id": sent["alias_id"], "user_id": user_id, "message": "Alias created"}
    return _answer(handled, body)


def render_replace_id(handled: Accepted) -> Response:
    """Answer `/users/replace-id` with the new id."""
    return _answer(handled, {"success": True, "user_id": _sent(handled)["new_user_id"], "message": "User ID updated"})


def _answer(handled: Accepted, body: Mapping[str, object]) -> Response:
    return Response(200, orjson.dumps(body), headers=rate_headers(handled.request, handled.quota))


def _event_id(handled: Accepted) -> str:
    return f"evt_{handled.outcomes[0].message_id}"


def _sent(handled: Accepted) -> dict[str, Any]:
    payload = handled.submission.items[0].payload
    assert isinstance(payload, dict), "what was accepted is an object"
    return payload


def _internal_id(project: str, user_id: str) -> str:
    named = f"{project}\0{user_id}".encode("utf-8", "surrogatepass")
    return f"usr_{hashlib.blake2b(named, digest_size=12).hexdigest()}"
