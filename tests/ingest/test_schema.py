"""A schema that cannot be used is refused at start, in one line; an explanation is bounded, whatever is explained."""

import tracemalloc

import pytest

from gateway.dialect.flaws import MAX_POINTER
from gateway.ingest.schema import MAX_FAULTS, BrokenSchema, build, load


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type": "nope"}', "x.json: 'nope' is not valid under any of the given schemas"),
        ('{"properties": 5}', "x.json: 5 is not of type 'object'"),
        ('{"minLength": -1}', "x.json: -1 is less than the minimum of 0"),
        ('{"$ref": "#/nowhere"}', "x.json: Pointer '/nowhere' does not exist"),
        ("[]", "x.json: [] is not of type 'object', 'boolean'"),
        ('{"pattern": "("}', "x.json: '(' is not a 'regex'"),
        ('{"pattern": "\\\\p{L}"}', r"x.json: '\\p{L}' is not a 'regex'"),
        ('{"patternProperties": {"(": {}}}', "x.json: '(' is not a 'regex'"),
        ("{", "x.json: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
    ids=["type", "keyword", "bound", "reference", "array", "pattern", "Rust's pattern", "pattern of a name", "JSON"],
)
def test_a_broken_schema_is_explained(text: str, expected: str) -> None:
    with pytest.raises(BrokenSchema) as refused:
        build("x.json", text)
    assert str(refused.value) == expected


TRANTHOR = load("jsonschemas.tranthor")["track"]
MANY = 200_000


class Unshown(str):
    """A text that must not be written into a message."""

    def __repr__(self) -> str:
        raise AssertionError("a client's value was written out")


@pytest.mark.parametrize(
    ("payload", "codes"),
    [
        ({"messageId": "m", "userId": "u"}, ["required"]),
        ({"messageId": "m", "event": "e", "userId": [{} for _ in range(MANY)]}, []),
        ({"messageId": "m", "event": "e", "userId": "u", "files": [{} for _ in range(MANY)]}, ["required"] * 10),
        ({"messageId": {}, "userId": "u", "event": "e", "x": "x" * 5_000_000}, ["type"]),
        ({**{f"k{number}": 1 for number in range(MANY)}, "userId": "u"}, ["required", "required"]),
    ],
    ids=["an ordinary one", "an id of many objects", "many files", "a long text", "many fields"],
)
def test_an_explanation_takes_no_more_than_its_steps(payload: dict[str, object], codes: list[str]) -> None:
    assert not TRANTHOR.is_valid(payload)
    tracemalloc.start()
    faults = TRANTHOR.explain(payload)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [fault.code for fault in faults] == codes
    assert peak < 24 * MANY * 4 + (1 << 20)


def test_no_value_of_a_client_is_written_into_a_message() -> None:
    schema = build("x.json", '{"type": "object", "properties": {"a": {"type": "number"}, "b": {"enum": [1]}}}')
    long = Unshown("x" * 200)
    assert [fault.code for fault in schema.explain({"a": [long], "b": {"c": long}})] == ["type", "enum"]


def test_the_branches_of_an_explanation_are_bounded() -> None:
    options = ",".join(['{"type": "array", "items": {"type": "string"}}'] * 30)
    [fault] = build("x.json", f'{{"anyOf": [{options}]}}').explain([1, 2, 3])
    branches = fault.detail["branches"]
    assert isinstance(branches, list)
    assert [len(branch) for branch in branches] == [3] * MAX_FAULTS


def test_a_key_of_megabytes_is_cut_in_a_pointer() -> None:
    schema = build("x.json", '{"additionalProperties": {"type": "string"}}')
    [fault] = schema.explain({"k" * 1_000_000: 1})
    assert fault.pointer == f"/{'k' * (MAX_POINTER - 1)}..."
