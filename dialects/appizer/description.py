"""What the endpoints take and answer, for the OpenAPI document: summaries, examples, shapes. Facts only."""

from collections.abc import Mapping

from dialects.appizer.limits import MAX_BATCH
from dialects.appizer.wire import EVENTS
from gateway.dialect import Body, Description, JsonSchema

_TEXT: JsonSchema = {"type": "string"}
_TRUE: JsonSchema = {"const": True}


def _answer(**fields: JsonSchema) -> JsonSchema:
    properties = {"success": _TRUE, **fields}
    return {"type": "object", "required": list(properties), "properties": properties}


ROUTES: Mapping[str, Description] = {
    "events": Description(
        "Track one event.",
        examples={
            "purchase": {
                "event_name": "purchase_completed",
                "user_id": "user_123",
                "properties": {"amount": 29.99, "currency": "USD"},
            },
            "required_fields": {"event_name": "signup", "user_id": "user_123"},
        },
        answer=_answer(event_id=_TEXT, message=_TEXT),
    ),
    "events/batch": Description(
        "Track several events in one request.",
        body=Body(items="many", field=EVENTS, least=1, most=MAX_BATCH),
        examples={
            "two_events": {
                EVENTS: [
                    {"event_name": "signup", "user_id": "user_123"},
                    {"event_name": "purchase_completed", "user_id": "user_123", "properties": {"amount": 29.99}},
                ]
            }
        },
        answer=_answer(processed_count={"type": "integer", "minimum": 1}, message=_TEXT),
    ),
    "events/track": Description(
        "Track one event, in either spelling of its fields. One of event and event_name is needed, and an id.",
        examples={"purchase": {"event": "purchase_completed", "userId": "user_123", "properties": {"amount": 29.99}}},
        answer={
            "type": "object",
            "required": ["success", "eventId"],
            "properties": {
                "success": _TRUE,
                "eventId": _TEXT,
                "timestamp": {"type": "string", "description": "When it arrived; not with an Idempotency-Key."},
            },
        },
    ),
    "users": Description(
        "Say who a user is.",
        examples={
            "user": {
                "user_id": "user_123",
                "email": "jo@example.com",
                "phone": "+1234567890",
                "properties": {"plan": "pro"},
                "origin": {"channel": "ads", "campaign": "spring"},
            }
        },
        answer=_answer(user_id=_TEXT, external_id=_TEXT, message=_TEXT),
    ),
    "users/aliases": Description(
        "Give a user another id. One of user_id and primary_user_id is needed.",
        examples={"alias": {"user_id": "user_123", "alias_id": "device_9"}},
        answer=_answer(alias_id=_TEXT, user_id=_TEXT, message=_TEXT),
    ),
    "users/replace-id": Description(
        "Replace the id of a user.",
        examples={"replacement": {"user_id": "user_123", "new_user_id": "user_456"}},
        answer=_answer(user_id=_TEXT, message=_TEXT),
    ),
}
"""By the name of the route."""

ERROR: JsonSchema = {
    "type": "object",
    "required": ["error", "message", "code"],
    "properties": {
        "error": {"type": "string", "description": "The status in words."},
        "message": _TEXT,
        "code": {"type": "string", "description": "What programs look at, such as MISSING_FIELD."},
        "details": {"type": "object", "description": "Facts, such as the field."},
    },
}
