"""The answers to requests whose items were accepted: 200 everywhere (inferred; the vendor's pages show bodies only).

Each function is named after its route.
"""

import hashlib
from collections.abc import Mapping

import orjson

from dialects.appizer.limits import rate_headers
from dialects.appizer.wire import Fields, SentAlias, SentReplaceId, SentUser
from gateway.dialect import Accepted, Response, from_millis


def events(accepted: Accepted) -> Response:
    """Answer with the event's id: `evt_` and the message id that the gateway gave it."""
    event_id = _event_id(accepted)
    return _answer(accepted, {"success": True, "event_id": event_id, "message": "Event tracked successfully"})


def batch(accepted: Accepted) -> Response:
    """Answer with the number of events; the vendor's answer has no ids."""
    count = len(accepted.outcomes)
    body = {"success": True, "processed_count": count, "message": "Batch events tracked successfully"}
    return _answer(accepted, body)


def track(accepted: Accepted) -> Response:
    """Answer with the event's id and the time of receipt, as the diagrams do.

    Under an Idempotency-Key the time is left out: a replayed answer must be the same, and its time is not stored.
    """
    body: dict[str, object] = {"success": True, "eventId": _event_id(accepted)}
    if "idempotency-key" not in accepted.request.headers:
        body["timestamp"] = from_millis(accepted.request.received_at)
    return _answer(accepted, body)


def users(accepted: Accepted) -> Response:
    """Answer with two ids: `user_id` looks like the vendor's own (`usr_...`), `external_id` is the client's."""
    user_id = SentUser.read(_payload(accepted), None).user_id
    body = {
        "success": True,
        "user_id": _vendor_id(accepted.project, user_id),
        "external_id": user_id,
        "message": "User created/updated successfully",
    }
    return _answer(accepted, body)


def aliases(accepted: Accepted) -> Response:
    """Answer with the ids as they were sent."""
    sent = SentAlias.read(_payload(accepted), None)
    user_id = sent.user_id or sent.primary_user_id
    body = {"success": True, "alias_id": sent.alias_id, "user_id": user_id, "message": "Alias created"}
    return _answer(accepted, body)


def replace_id(accepted: Accepted) -> Response:
    """Answer with the new id."""
    user_id = SentReplaceId.read(_payload(accepted), None).new_user_id
    return _answer(accepted, {"success": True, "user_id": user_id, "message": "User ID updated"})


def _answer(accepted: Accepted, body: Mapping[str, object]) -> Response:
    return Response(200, orjson.dumps(body), headers=rate_headers(accepted.request, accepted.quota))


def _event_id(accepted: Accepted) -> str:
    return f"evt_{accepted.outcomes[0].message_id}"


def _payload(accepted: Accepted) -> Fields:
    payload = accepted.submission.items[0].payload
    assert isinstance(payload, dict), "only objects are accepted"
    return payload


def _vendor_id(project: str, user_id: str) -> str:
    """Return an id that is always the same for a user of a project, and another in another project."""
    named = f"{project}\0{user_id}".encode("utf-8", "surrogatepass")
    return f"usr_{hashlib.blake2b(named, digest_size=12).hexdigest()}"
