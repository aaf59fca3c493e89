"""The compiled check and the explaining validator give the same answer, on every schema."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.dialect import Event
from gateway.dialect.event import stamped
from gateway.ingest.registry import STAMPED, discover
from gateway.ingest.schema import Schema, load, of_stamped
from tests.property.values import like

SCHEMAS = [
    (f"{package}/{schema.name}", schema, like(schema.document))
    for package in [*(dialect.schemas for dialect in discover()), "jsonschemas.canonical"]
    for schema in load(package).values()
]

CANONICAL = load("jsonschemas.canonical")["event"]
CONTEXT = CANONICAL.document["$defs"]["context"]
TIME = "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(("schema", "values"), [each[1:] for each in SCHEMAS], ids=[each[0] for each in SCHEMAS])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_both_validators_agree(schema: Schema, values: st.SearchStrategy[Any], data: st.DataObject) -> None:
    value = data.draw(values)
    assert schema.is_valid(value) == (schema.explain(value) == ())


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    decided=st.dictionaries(
        st.sampled_from(["type", "name", "sent_at", "user_id", "properties", "traits"]), like(True)
    ),
    timestamp=st.just(TIME) | st.sampled_from([f"{TIME}\n", f"\n{TIME}", "2026-13-02T03:04:05.678Z"]) | like(True),
    message_id=st.text(max_size=2) | like(True),
    context=like(CONTEXT),
)
def test_an_event_with_the_gateways_own_fields_meets_the_whole_schema_if_it_meets_the_rest_of_it(
    decided: dict[str, Any], timestamp: Any, message_id: Any, context: Any
) -> None:
    event = Event(**{"type": "track", "context": context, **decided, "timestamp": timestamp})
    fields = stamped(event, "shop", "acme", message_id, TIME)
    assert of_stamped(CANONICAL, STAMPED).is_valid(fields) == CANONICAL.is_valid(fields)
