"""A schema that cannot be used is refused at start, in one line."""

import pytest

from gateway.ingest.schema import BrokenSchema, build


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
