"""The check that each route has a case: which ones tried, and what came of the best of them."""

from pathlib import Path

import attrs

from tests.testing import small
from tests.testing.checking import failure
from tests.testing.small import case, subject_of, with_route

EVERY_ROUTE = "cases/every route has a case that is accepted"
REMEDY = "add one for each, with the events that it becomes: the other checks are made from them"


def test_the_case_that_came_nearest_is_shown_and_the_others_are_named(tmp_path: Path) -> None:
    cases = {
        **small.CASES,
        "an_event_is_stored": case({"id": "e-1", "name": 5}),
        "an_event_of_a_stranger": {**case({"id": "e-1", "name": "paid"}), "switches": []},
    }
    cases["an_event_of_a_stranger"]["steps"][0]["request"]["headers"] = {}
    said = failure(subject_of(tmp_path, cases=cases), EVERY_ROUTE)
    assert said.wrong == (
        f"no case of {tmp_path} has a request to route event that is accepted whole"
        "\n  event: POST /small-api/v1/event of an_event_is_stored was answered 400"
        ' {"refused":"invalid"}; an_event_of_a_stranger came no nearer'
    )
    assert said.remedy == REMEDY


def test_items_that_are_kept_aside_are_counted(tmp_path: Path) -> None:
    body = {"events": [{"id": "e-1", "name": "a"}, {"id": "e-2"}]}
    said = failure(subject_of(tmp_path, cases={**small.CASES, "events_are_stored": case(body, "events")}), EVERY_ROUTE)
    assert said.wrong == (
        f"no case of {tmp_path} has a request to route events that is accepted whole"
        "\n  events: POST /small-api/v1/events of events_are_stored was answered 202"
        ' {"ids":["e-1","e-2"]}; 1 of its items were stored, 1 quarantined'
    )


def test_routes_without_any_case_are_named(tmp_path: Path) -> None:
    dialect = with_route("pixel", paths=("/small-api/v1/pixel", "/small-api/v1/p.gif"))
    assert isinstance(dialect.routes, tuple)
    more = attrs.evolve(small.EVENT, name="more", paths=("/small-api/v1/more",))
    dialect = attrs.evolve(dialect, routes=(*dialect.routes, more))
    cases = {name: each for name, each in small.CASES.items() if "pixel" not in name}
    said = failure(subject_of(tmp_path, dialect, cases), EVERY_ROUTE)
    assert said.wrong == (
        f"no case of {tmp_path} has a request to route pixel, more that is accepted whole"
        "\n  pixel: no case without switches and a limit sends GET /small-api/v1/pixel or /small-api/v1/p.gif"
        "\n  more: no case without switches and a limit sends POST /small-api/v1/more"
    )
