"""docs/corpus.md: its case and its credentials are a corpus that holds, and its tables are those of the schemas."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect import Event
from gateway.testing import Subject, subject
from gateway.testing.corpus import defaults, reading
from gateway.testing.corpus.message import NOW_TEXT
from gateway.testing.dialect.cases import checks
from tests.docs.readme import ROOT, blocks, code, rows, section
from tests.testing.acme import dialect

PAGE = (ROOT / "docs" / "corpus.md").read_text("utf-8")
CASE, ITEM, CREDENTIALS = blocks("json", PAGE)
SCHEMAS = ROOT / "gateway" / "testing" / "corpus"
CASE_SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "case.schema.json").read_text("utf-8"))
CREDENTIALS_SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "credentials.schema.json").read_text("utf-8"))


@pytest.fixture
def acme(tmp_path: Path) -> Subject:
    """The dialect of the page, with the corpus of the page."""
    (tmp_path / "a_signup_is_stored.json").write_text(CASE)
    (tmp_path / "_credentials.json").write_text(CREDENTIALS)
    return subject("acme", tmp_path, dialect)


def tables(text: str) -> list[list[str]]:
    """Return what the first cells of each table of the page name."""
    found: list[list[str]] = []
    for part in text.split("\n\n"):
        if part.startswith("| field"):
            found.append([name for row in rows(part) for name in code(row[0])])
    return found


def test_the_pages_case_and_credentials_are_a_corpus_that_holds(acme: Subject) -> None:
    found = list(checks(acme))
    assert [check.name for check in found] == [
        "cases/every route has a case that is accepted",
        "cases/a_signup_is_stored",
    ]
    for check in found:
        check.run()


def test_the_pages_tables_have_every_field_of_the_schemas() -> None:
    definitions: Mapping[str, Any] = CASE_SCHEMA["$defs"]
    properties = [CASE_SCHEMA["properties"], definitions["request"]["properties"], definitions["answer"]["properties"]]
    bodies = ["json", "text", "base64", "repeat"]
    case, request, answer, body, credentials = tables(PAGE)
    assert [sorted(case), sorted(request), sorted(answer)] == [sorted({*each} - {"$schema"}) for each in properties]
    assert body == bodies
    assert sorted(credentials) == sorted(CREDENTIALS_SCHEMA["items"]["properties"])


def test_the_pages_quarantined_item_may_stand_in_a_case(tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    file.write_text(json.dumps({"steps": [{"request": {"path": "/"}}], "quarantined": [json.loads(ITEM)]}))
    item = json.loads(ITEM)
    assert defaults.filled(reading.read_case(file), "acme")["quarantined"] == [
        {**item, "faults": [{**item["faults"][0], "detail": {}}]}
    ]


def test_the_page_says_what_an_event_may_leave_out_and_when_it_is() -> None:
    least = defaults.filled_event({"type": "track", "message_id": "m-1"}, "acme")
    assert least == {
        **dict.fromkeys(field.name for field in attrs.fields(Event)),
        "type": "track",
        "message_id": "m-1",
        "project": "default",
        "dialect": "acme",
        "timestamp": NOW_TEXT,
        "received_at": NOW_TEXT,
        "properties": {},
        "traits": {},
        "context": {},
    }
    said = {*code(section("What an event may leave out", PAGE)), *code(section("The clock and the ids", PAGE))}
    assert {"project", "default", "dialect", "timestamp", "received_at", "properties", "traits", "context"} <= said
    assert {"type", "message_id", "detail", NOW_TEXT, "00000000-0000-7000-8000-000000000001"} <= said
    event = CASE_SCHEMA["$defs"]["event"]
    assert (sorted(event["required"]), list(event["properties"])) == (
        ["message_id", "type"],
        [field.name for field in attrs.fields(Event)],
    )
