"""The page on canonical events and those of the dialects, compared with the schema and the corpus's expected events."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gateway.testing.corpus.case import Corpus

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "events.md").read_text("utf-8")
SCHEMA: dict[str, Any] = json.loads((ROOT / "jsonschemas" / "canonical" / "event.json").read_text("utf-8"))
CORPUS = ROOT / "tests" / "corpus"
DIALECTS = sorted(folder.name for folder in CORPUS.iterdir() if folder.is_dir())
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")}
SET_BY_THE_GATEWAY = {"project", "dialect", "received_at"}


def fields_of(dialect: str) -> str:
    """Return what a dialect's own page says of every field; nothing where it says nothing."""
    page = (ROOT / "dialects" / dialect / "README.md").read_text("utf-8")
    return page.partition("\n### Every field\n")[2].partition("\n## ")[0]


def code(text: str) -> list[str]:
    """Return what stands between backticks, outside of fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def tables(text: str) -> list[list[list[str]]]:
    """Return the rows of each table as cells; the first is its head."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [[line.strip("|").split("|") for line in table.splitlines() if set(line) != set("|-")] for table in found]


def names(rows: list[list[str]]) -> list[str]:
    """Return what the first cells of a table name, without its head."""
    return [name for row in rows[1:] for name in code(row[0])]


def examples(text: str) -> list[Any]:
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def expected(dialect: str) -> list[dict[str, Any]]:
    """Return every event that the cases of a dialect expect."""
    return [event for case in Corpus.read(dialect, CORPUS / dialect).cases for event in case.events]


def has(event: dict[str, Any], place: str) -> bool:
    """Tell whether an event has something at a place such as `context.page.url`."""
    node: Any = event
    for step in place.split("."):
        if not isinstance(node, dict) or step not in node:
            return False
        node = node[step]
    return True


def in_schema(node: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yield the properties that a schema names, those of objects inside included: `context`, `context.page.url`."""
    if "$ref" in node:
        yield from in_schema(SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")], above)
    for each in (*node.get("anyOf", ()), *node.get("allOf", ()), *node.get("oneOf", ())):
        yield from in_schema(each, above)
    for name, inner in node.get("properties", {}).items():
        yield f"{above}{name}"
        yield from in_schema(inner, f"{above}{name}.")


def filled(dialect: str) -> list[str]:
    """Return the rows of the table of places that some expected event of a dialect fills."""
    [rows] = tables(SECTIONS["Context"])
    return [place for place in names(rows) if any(has(event, place) for event in expected(dialect))]


def test_every_property_of_the_schema_has_its_row() -> None:
    [fields], [context] = tables(SECTIONS["Fields"]), tables(SECTIONS["Context"])
    rows = [*names(fields), *names(context)]
    named = list(in_schema(SCHEMA))
    missing = [name for name in named if name not in rows and not any(row.startswith(f"{name}.") for row in rows)]
    assert missing == []
    assert names(fields) == list(SCHEMA["properties"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialects_page_says_of_each_field_what_is_put_there_or_that_it_is_always_empty(dialect: str) -> None:
    text = fields_of(dialect)
    told = {name.partition(".")[0] for table in tables(text)[:1] for name in names(table)}
    empty = {name for line in re.findall("^Always empty: .*$", text, re.MULTILINE) for name in code(line)}
    assert told | empty == set(SCHEMA["properties"]) - SET_BY_THE_GATEWAY
    assert told & empty == set()
    wrong = [name for event in expected(dialect) for name in empty if event[name] not in (None, {})]
    assert wrong == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_place_in_an_expected_context_is_named_on_the_dialects_page(dialect: str) -> None:
    named = set(code(fields_of(dialect)))
    keys = {f"context.{key}" for event in expected(dialect) for key in event["context"] if key != dialect}
    missing = [key for key in sorted(keys) if not any(name == key or name.startswith(f"{key}.") for name in named)]
    assert missing == []
    unnamed = [place for place in filled(dialect) if place not in named]
    assert unnamed == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_place_in_a_dialects_table_has_its_row_in_the_table_of_places(dialect: str) -> None:
    [rows] = tables(SECTIONS["Context"])
    told = [name for table in tables(fields_of(dialect))[:1] for name in names(table) if name.startswith("context.")]
    missing = [place for place in told if place not in names(rows)]
    assert missing == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_key_of_a_dialects_own_context_has_its_row(dialect: str) -> None:
    own = [names(table) for table in tables(fields_of(dialect)) if f"context.{dialect}" in code(table[0][0])]
    rows = {name for table in own for name in table}
    keys = {key for event in expected(dialect) for key in event["context"].get(dialect, {})}
    missing = sorted(keys - rows)
    assert missing == []


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if f"dialects/{name}/" in PAGE])
def test_the_table_of_places_says_which_dialects_fill_them_of_those_that_the_page_names(dialect: str) -> None:
    [rows] = tables(SECTIONS["Context"])
    told = {name for row in rows[1:] for name in code(row[0]) if dialect in row[-1].lower()}
    missing = [place for place in filled(dialect) if place not in told]
    assert missing == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialects_example_is_an_event_of_its_corpus(dialect: str) -> None:
    [example] = examples(fields_of(dialect))
    assert [event for event in expected(dialect) if event == example][:1] == [example]


def test_every_example_is_valid() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    found = [example for text in (PAGE, *map(fields_of, DIALECTS)) for example in examples(text)]
    assert len(found) >= len(DIALECTS)
    assert [error.message for example in found for error in validator.iter_errors(example)] == []
