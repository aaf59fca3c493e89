"""The compiled check and the explaining validator give the same answer, on every schema."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ingest.registry import discover
from gateway.ingest.schema import Schema, load
from tests.property.values import like

SCHEMAS = [
    (f"{package}/{schema.name}", schema, like(schema.document))
    for package in [*(dialect.schemas for dialect in discover()), "jsonschemas.canonical"]
    for schema in load(package).values()
]


@pytest.mark.parametrize(("schema", "values"), [each[1:] for each in SCHEMAS], ids=[each[0] for each in SCHEMAS])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_both_validators_agree(schema: Schema, values: st.SearchStrategy[Any], data: st.DataObject) -> None:
    value = data.draw(values)
    assert schema.is_valid(value) == (schema.explain(value) == ())
