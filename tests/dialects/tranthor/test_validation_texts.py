"""There is a text in upstream's words for exactly what the schemas refuse."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialects.tranthor.validation_texts import of_items
from dialects.tranthor.wire import KINDS
from gateway.dialect import Fault, Outcome, Request, Verdict
from gateway.ingest.schema import load

SCHEMAS = load("jsonschemas.tranthor")
REJECTED = (Outcome(Verdict.REJECTED, "", (Fault("invalid"),)),)
"""The outcome of an item whose faults the gateway does not explain."""

NEITHER = "body must match a schema in anyOf"

SCALARS = st.none() | st.booleans() | st.sampled_from(["", "x", "true", "false", 0, 1, 2, 1.5, 10**30])
TEXTS = SCALARS | st.lists(SCALARS, max_size=2) | st.just({})
FILE_FIELDS = st.fixed_dictionaries(
    {}, optional={"type": st.just("Base64Encoded") | TEXTS, "name": TEXTS, "mimeType": TEXTS, "data": TEXTS}
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("messageId", "userId", "anonymousId", "event", "groupId", "name", "timestamp", "assigned"), TEXTS),
    **dict.fromkeys(("properties", "traits", "context"), TEXTS | st.just({"a": 1})),
    "files": TEXTS | st.lists(FILE_FIELDS | SCALARS, max_size=2),
}
REQUIRED = ("messageId", "userId", "event", "groupId")
WHOLE = st.fixed_dictionaries(
    {name: FIELDS[name] for name in REQUIRED},
    optional={name: field for name, field in FIELDS.items() if name not in REQUIRED},
)
PAYLOADS = WHOLE | st.fixed_dictionaries({}, optional=FIELDS) | TEXTS


def text(kind: str, payload: object, pad: int = 0) -> str:
    body = json.dumps(payload).encode() + b" " * pad
    return of_items(Request("POST", f"/api/public/apps/{kind}", {}, {}, body, 0), REJECTED)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(payload=PAYLOADS)
def test_there_is_a_text_for_exactly_what_the_schema_refuses(kind: str, payload: object) -> None:
    assert (text(kind, payload) == NEITHER) == SCHEMAS[kind].is_valid(payload)


def test_a_long_body_is_not_read_twice_for_the_sake_of_a_text() -> None:
    assert text("track", {}, pad=70_000) == NEITHER
