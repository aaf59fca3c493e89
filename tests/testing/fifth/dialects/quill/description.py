"""What the endpoint takes and answers, for the OpenAPI document. Facts only."""

from gateway.dialect import Description, JsonSchema

NOTES = Description(
    "Note what a person did.",
    examples={"reading": {"what": "read", "who": "u-1"}},
    answer={
        "type": "object",
        "required": ["noted"],
        "properties": {"noted": {"const": True}},
        "additionalProperties": False,
    },
)

ERROR: JsonSchema = {
    "type": "object",
    "required": ["refused"],
    "properties": {"refused": {"type": "string"}},
    "additionalProperties": False,
}
