"""The other values that are tried at a place: near ones, those of the corpus, and those that a schema lists."""

from pathlib import Path

import attrs
import pytest

from gateway.testing import Subject
from gateway.testing.samples.other_values import OtherValues
from gateway.testing.samples.places import Place
from gateway.testing.samples.sample import accepted
from gateway.testing.samples.spots import Spot
from tests.testing import small

ID = "6f1c0f0e-1d2c-4b3a-9a88-77665544332f"


def others(subject: Subject, *path: str) -> list[object]:
    """Return the other values for a place of the body of the first case."""
    [first] = [each for each in accepted(subject.installed, subject.corpus) if each.case == "first"]
    return OtherValues(subject.installed, subject.corpus).of(Spot(first, Place("body", path)))


def of_properties(folder: Path, **properties: object) -> Subject:
    return small.subject_of(folder, cases={"first": small.case({"name": "a", "id": "e-1", "properties": properties})})


@pytest.mark.parametrize(
    ("value", "near"),
    [
        (5, [6, 4]),
        (True, [False]),
        (ID, ["6f1c0f0e-1d2c-4b3a-9a88-77665544333f"]),
        (
            "2024-03-01T00:00:00Z",
            ["2023-03-01T00:00:00Z", "2024-03-02T00:00:00Z", "2024-03-01T01:00:00Z", "2024-03-01T00:00:02Z"],
        ),
        ("203.0.113.7", ["203.0.113.2"]),
        ("de", []),
        ({"a": 1}, []),
    ],
)
def test_a_near_value_has_the_same_form(tmp_path: Path, value: object, near: list[object]) -> None:
    assert others(of_properties(tmp_path, value=value), "properties", "value") == near


@pytest.mark.parametrize(
    ("sent", "tried"),
    [
        (["de", "en", "en", None, {"deep": []}, "x" * 300], ["en", None, {"deep": []}]),
        (["", None, 0, "en"], ["en"]),  # an empty one may stand for any other
        ([1, True, 1.0], [2, 0, True]),
    ],
)
def test_what_other_cases_have_at_the_place_is_tried(tmp_path: Path, sent: list[object], tried: list[object]) -> None:
    bodies = [{"name": "a", "id": f"e-{number}", "properties": {"value": each}} for number, each in enumerate(sent)]
    cases = {f"more_{number}" if number else "first": small.case(body) for number, body in enumerate(bodies)}
    found = others(small.subject_of(tmp_path, cases=cases), "properties", "value")
    assert list(map(repr, found)) == list(map(repr, tried))


def test_what_a_schema_lists_is_tried(tmp_path: Path) -> None:
    cases = {"first": small.case({"name": "a", "mode": "live"})}
    dialect = attrs.evolve(small.DIALECT, schemas="tests.testing.visit_schemas")
    assert others(small.subject_of(tmp_path, dialect, cases), "mode") == ["test"]
