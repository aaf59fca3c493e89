"""A client's context: nothing of it is lost, and what is put into a canonical place has the type of that place."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.tranthor.context import add_page, canonical
from gateway.dialect import Unkept

EVENT = json.loads((Path(__file__).parents[3] / "jsonschemas" / "canonical" / "event.json").read_text("utf-8"))
SCHEMA = jsonschema.Draft202012Validator({**EVENT["$defs"]["context"], "$defs": EVENT["$defs"]})
# What a client says under the name of the gateway's own mark is kept apart like anything else.
PLACES: dict[str, Any] = {
    name: about for name, about in EVENT["$defs"]["context"]["properties"].items() if name != "privacy"
}

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["", "x"])
INNER = sorted({key for place in PLACES.values() for key in place.get("properties", {})} | {"density", "carrier"})
CONTEXTS = st.dictionaries(
    st.sampled_from([*PLACES, "userAgent", "traits", "tranthor"]),
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(INNER), SCALARS, max_size=4),
)


def facts(context: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each top-level key's values with the key; those of an object one by one. `userAgent` is `user_agent`."""
    found = []
    for name, value in context.items():
        place = "user_agent" if name == "userAgent" else name
        found += [(f"{place}.{key}", repr(each)) for key, each in value.items()] if isinstance(value, dict) else []
        found += [] if isinstance(value, dict) else [(place, repr(value))]
    return sorted(found)


@given(CONTEXTS)
def test_each_fact_of_a_context_is_either_in_its_place_or_kept_apart(sent: dict[str, Any]) -> None:
    context, unplaced = canonical(sent)
    assert sorted(facts(context) + facts(unplaced)) == facts(sent)


@given(CONTEXTS, st.dictionaries(st.sampled_from(INNER), SCALARS))
def test_a_context_meets_the_canonical_schema(sent: dict[str, Any], properties: dict[str, Any]) -> None:
    context, _unplaced = canonical(sent)
    add_page(context, properties)
    assert [error.message for error in SCHEMA.iter_errors(context)] == []


def test_every_place_of_the_canonical_schema_can_be_filled() -> None:
    examples = {"string": "x", "integer": 1, "number": 1.5}
    sent: dict[str, Any] = {
        place: {key: examples[one_of(inner)] for key, inner in about.get("properties", {}).items()}
        if about["type"] == "object"
        else "x"
        for place, about in PLACES.items()
    }
    assert canonical(sent) == (sent, {})


def one_of(about: dict[str, Any]) -> str:
    kinds = about["type"]
    return str(kinds[0] if isinstance(kinds, list) else kinds)


@pytest.mark.parametrize("name", ["ip", "page", "screen", "device", "traits"])
def test_a_number_that_cannot_be_kept_is_not_dropped(name: str) -> None:
    unkept = Unkept("integer_too_long", "9")
    assert canonical({name: unkept}) == ({}, {name: unkept})
    assert canonical({"page": {"url": unkept}}) == ({}, {"page": {"url": unkept}})


def test_a_page_without_a_word_about_it_has_none() -> None:
    context: dict[str, object] = {}
    add_page(context, {"url": "", "title": 5, "plan": "pro"})
    assert context == {}
