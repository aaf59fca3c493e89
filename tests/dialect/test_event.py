import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect.event import Event, as_dict, encode
from gateway.ingest.schema import load

SCHEMA = load("jsonschemas.canonical")["event"]
EVENT = Event(
    project="shop",
    dialect="acme",
    type="track",
    message_id="m-1",
    timestamp="2024-03-01T00:00:00.000Z",
    received_at="2024-03-01T00:00:00.000123Z",
)
CORPUS = sorted((Path(__file__).parents[1] / "corpus").glob("*/[!_]*.json"))


def decoded(**changes: Any) -> dict[str, Any]:
    whole = json.loads(encode(EVENT))
    assert isinstance(whole, dict)
    return {**whole, **changes}


def test_an_event_as_it_is_written_meets_the_schema_field_by_field_in_order() -> None:
    fields = [field.name for field in attrs.fields(Event)]
    assert (SCHEMA.explain(decoded()), SCHEMA.is_valid(decoded())) == ((), True)
    assert list(as_dict(EVENT)) == fields == SCHEMA.document["required"] == list(SCHEMA.document["properties"])


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Event)])
def test_no_field_may_be_missing(field: str) -> None:
    event = decoded()
    del event[field]
    assert not SCHEMA.is_valid(event)


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"type": "click"},
        {"message_id": ""},
        {"message_id": None},
        {"user_id": 1},
        {"properties": None},
        {"properties": []},
        {"timestamp": None},
        {"timestamp": "2024-03-01T00:00:00Z"},
        {"timestamp": "2024-03-01T00:00:00.000+00:00"},
        {"timestamp": "2024-03-01 00:00:00.000Z"},
        {"timestamp": "2024-13-01T00:00:00.000Z"},
        {"timestamp": "2024-03-01T24:00:00.000Z"},
        {"received_at": "2024-03-01T00:00:00.000Z\n"},
        {"sent_at": ""},
    ],
)
def test_what_is_no_event_does_not_meet_the_schema(changes: dict[str, object]) -> None:
    event = decoded(**changes)
    assert (SCHEMA.is_valid(event), SCHEMA.explain(event) == ()) == (False, False)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_event_of_the_corpus_meets_the_schema(file: Path) -> None:
    for event in json.loads(file.read_text("utf-8")).get("events", []):
        assert SCHEMA.explain(event) == ()
