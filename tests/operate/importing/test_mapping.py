"""Maps: from an export's names and texts to the vendor's fields, and what a map may not say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.operate.importing.conversions import TYPES
from gateway.operate.importing.found import Found, ImportProblem
from gateway.operate.importing.mapping import map_of, read_map


def mapped(document: object, item: object) -> Any:
    """What an item is by a map; the code and the place of its fault if it has one."""
    text = json.dumps(item).encode()
    found = map_of(document, "m.toml").applied(Found(1, text, text))
    return json.loads(found.text) if found.fault is None else (found.fault.code, found.fault.pointer)


def test_fields_are_renamed_moved_and_left_out_and_the_others_stay() -> None:
    document = {
        "fields": {"Event Name": "event", "props.plan": "properties.plan", "row": False, "at": {"type": "seconds"}},
        "constants": {"type": "track", "context.library.name": "export"},
    }
    item = {"Event Name": "paid", "props": {"plan": "pro", "n": 1}, "row": 7, "at": "1709294400", "userId": "u"}
    assert mapped(document, item) == {
        "event": "paid",
        "properties": {"plan": "pro"},
        "props": {"n": 1},
        "at": "2024-03-01T12:00:00.000Z",
        "userId": "u",
        "type": "track",
        "context": {"library": {"name": "export"}},
    }


def test_others_may_be_left_out() -> None:
    assert mapped({"fields": {"a": "b"}, "others": False}, {"a": 1, "c": 2}) == {"b": 1}


@pytest.mark.parametrize(
    ("kind", "given", "made"),
    [
        ("text", 7, "7"),
        ("text", "7", "7"),
        ("number", "1.50", 1.5),
        ("number", "12", 12),
        ("integer", "12", 12),
        ("integer", 12.0, 12),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("json", '{"a":[1]}', {"a": [1]}),
        ("time", "2024-03-01 12:00:00 UTC", "2024-03-01T12:00:00.000Z"),
        ("time", "2024-03-01T13:00:00.5+01:00", "2024-03-01T12:00:00.500Z"),
        ("seconds", 1709294400.25, "2024-03-01T12:00:00.250Z"),
        ("milliseconds", "1709294400250", "2024-03-01T12:00:00.250Z"),
        ("text", None, None),
    ],
)
def test_a_type_says_what_becomes_of_a_value(kind: str, given: object, made: object) -> None:
    assert mapped({"fields": {"x": {"to": "y", "type": kind}}}, {"x": given}) == {"y": made}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("number", "twelve"),
        ("number", "nan"),
        ("number", "1e999"),
        ("integer", "1.5"),
        ("integer", 1.5),
        ("integer", "9" * 5000),
        ("boolean", "perhaps"),
        ("json", "{"),
        ("json", "[" * 100_000),
        ("time", "yesterday"),
        ("seconds", "1e300"),
        ("milliseconds", []),
    ],
)
def test_a_value_that_is_not_of_its_type_is_a_fault_of_its_item(kind: str, given: object) -> None:
    assert mapped({"fields": {"x": {"type": kind}}}, {"x": given}) == ("map", "/x")


def test_what_is_no_object_has_a_fault_and_what_is_no_json_is_left_to_the_dialect() -> None:
    assert mapped({}, [1]) == ("not_an_object", "")
    found = Found(1, b"{", b"{")
    assert map_of({}, "m.toml").applied(found) == found


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"field": {}},
        {"fields": []},
        {"others": "yes"},
        {"constants": 1},
        {"fields": {"a": ""}},
        {"fields": {"a": True}},
        {"fields": {"a": {"to": 1}}},
        {"fields": {"a": {"to": "b", "kind": "text"}}},
        {"fields": {"a": {"type": "date"}}},
    ],
)
def test_a_map_that_says_something_else_is_refused_in_one_line(document: object) -> None:
    with pytest.raises(ImportProblem) as raised:
        map_of(document, "m.toml")
    assert str(raised.value).startswith("m.toml: ")
    assert "\n" not in str(raised.value)


def test_a_map_is_toml_or_json(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('[fields]\n"a" = { to = "b", type = "json" }\n')
    (tmp_path / "m.json").write_text('{"fields": {"a": {"to": "b", "type": "json"}}}')
    assert (
        read_map(tmp_path / "m.toml")
        == read_map(tmp_path / "m.json")
        == map_of({"fields": {"a": {"to": "b", "type": "json"}}}, "m")
    )
    for content in ("a = [", "\xff", "[" * 5000):
        (tmp_path / "m.toml").write_text(content, "latin-1")
        with pytest.raises(ImportProblem):
            read_map(tmp_path / "m.toml")


def test_the_page_lists_the_types() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operate" / "import.md").read_text("utf-8")
    named = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert [each for each in named if each in TYPES] == list(TYPES)
