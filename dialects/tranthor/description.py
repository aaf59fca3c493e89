"""What the endpoints take, for the OpenAPI document: summaries, examples, shapes. Facts only.

Nothing is said of answers: those of accepted requests have no body.
"""

from collections.abc import Mapping

from dialects.tranthor.wire import BATCH, CONTEXT, KINDS, SENT_AT
from gateway.dialect import Body, Description, JsonSchema

_TRACK = {"messageId": "m-1", "userId": "u-1", "event": "Signed Up", "properties": {"plan": "pro"}}
_IDENTIFY = {"messageId": "m-2", "userId": "u-1", "traits": {"email": "jo@example.com"}}

ROUTES: Mapping[str, Description] = {
    "identify": Description("Say who a person is.", examples={"person": _IDENTIFY}),
    "track": Description("Track one event of a person.", examples={"event": _TRACK}),
    "page": Description(
        "Track one page that a person saw.",
        examples={"page": {"messageId": "m-3", "anonymousId": "a-1", "name": "Pricing", "properties": {"path": "/p"}}},
    ),
    "screen": Description(
        "Track one screen of an app that a person saw.",
        examples={"screen": {"messageId": "m-4", "userId": "u-1", "name": "Settings"}},
    ),
    "group": Description(
        "Say to which group a person belongs.",
        examples={"group": {"messageId": "m-5", "userId": "u-1", "groupId": "g-1", "traits": {"name": "Acme"}}},
    ),
    "batch": Description(
        "Send several messages of any types in one request.",
        body=Body(
            items="many",
            field=BATCH,
            beside={
                CONTEXT: {"type": ["object", "null"], "description": "The context of all messages."},
                SENT_AT: {"description": "When the batch was sent: ISO 8601."},
            },
            types={kind: kind for kind in KINDS},
        ),
        examples={"two_messages": {BATCH: [{"type": "identify", **_IDENTIFY}, {"type": "track", **_TRACK}]}},
    ),
}
"""By the name of the route."""

ERROR: JsonSchema = {
    "description": "An error of upstream's framework; a wrong key is told by a message alone.",
    "type": "object",
    "required": ["message"],
    "properties": {
        "statusCode": {"type": "integer"},
        "code": {"type": "string"},
        "error": {"type": "string"},
        "message": {"type": "string"},
    },
    "additionalProperties": False,
}
