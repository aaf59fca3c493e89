"""What the endpoints take and answer, for the OpenAPI document: summaries, examples, shapes. Facts only."""

from collections.abc import Mapping

from gateway.dialect import Description, JsonSchema

_SUCCESS: JsonSchema = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"const": "success"}},
    "additionalProperties": False,
}

ROUTES: Mapping[str, Description] = {
    "track": Description(
        "Track one event of a person.",
        examples={
            "click": {"anonymousId": "a-1", "event": "CLICKED_CHECKOUT", "properties": {"price": 100}},
            "at_a_time": {"userId": "u-1", "event": "SIGNED_UP", "timestamp": "2021-12-02T00:30:08.276Z"},
        },
        answer=_SUCCESS,
    ),
    "identify": Description(
        "Say who a person is.",
        examples={"person": {"userId": "u-1", "anonymousId": "a-1", "traits": {"email": "jo@example.com"}}},
        answer=_SUCCESS,
    ),
}
"""By the name of the route."""

ERROR: JsonSchema = {
    "type": "object",
    "required": ["status", "message"],
    "properties": {"status": {"const": "failure"}, "message": {"type": "string"}},
    "additionalProperties": False,
}
