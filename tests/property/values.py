"""Strategies: JSON values that lean towards what a schema speaks of, and bodies that lean towards valid ones."""

import functools
import json
from typing import Any

from hypothesis import strategies as st

from tests.kit.cases import body_of, load

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["", " ", "x" * 129, "x" * 257, "x" * 600, "2024-03-01T00:00:00Z", 10**30, -1, 0.5, 1709251200000]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def names_in(schema: Any) -> set[str]:
    """Every property name that a schema speaks of, at any depth."""
    if isinstance(schema, list):
        return {name for each in schema for name in names_in(each)}
    if not isinstance(schema, dict):
        return set()
    names = set(schema.get("properties", {})) | {name for each in schema.values() for name in names_in(each)}
    return names | {name for name in schema.get("required", []) if isinstance(name, str)}


def constants_in(schema: Any) -> list[Any]:
    """Every constant that a schema compares with."""
    if isinstance(schema, list):
        return [value for each in schema for value in constants_in(each)]
    if not isinstance(schema, dict):
        return []
    found = list(schema.get("enum", []))
    found += [schema["const"]] if "const" in schema else []
    return found + [value for each in schema.values() for value in constants_in(each)]


def like(schema: Any) -> st.SearchStrategy[Any]:
    """Values of any kind, and objects with the names and constants that the schema knows."""
    names, constants = sorted(names_in(schema)), constants_in(schema)
    leaves = VALUES | st.sampled_from(constants) if constants else VALUES
    if not names:
        return VALUES
    flat = st.dictionaries(st.sampled_from(names), leaves, max_size=len(names))
    nested = st.dictionaries(st.sampled_from(names), leaves | flat | st.lists(flat, max_size=2), max_size=len(names))
    return VALUES | flat | nested


@st.composite
def mutated(draw: st.DrawFn, body: bytes) -> bytes:
    """A body with a few bytes changed, dropped or repeated."""
    data = bytearray(body)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        piece = draw(
            st.sampled_from([b"", b"\x00", b"\xff", b"null", b"[", b"}", b'"\\ud800"', b"1e999", b"9" * 30, b"-1"])
        )
        data[at : at + draw(st.integers(0, 6))] = piece
    return bytes(data)


@functools.cache
def requests_of(dialect: str) -> list[dict[str, Any]]:
    """Every small request of a dialect's corpus."""
    steps = [step["request"] for case in load() if case.dialect == dialect for step in case.document["steps"]]
    unique = {json.dumps(request, sort_keys=True): request for request in steps if len(body_of(request)) < 5000}
    return [unique[key] for key in sorted(unique)]
