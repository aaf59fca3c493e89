"""The places of a dialect's requests: each once, in the request that has most of them."""

from pathlib import Path

from tests.testing import small
from tests.testing.small import CASES, subject_of


def test_a_place_is_taken_once_from_the_request_with_most_places(tmp_path: Path) -> None:
    more = small.case({"id": "e-1", "name": "paid", "at": "2024-03-01", "properties": {"tags": ["a", "b"]}})
    subject = subject_of(tmp_path, cases={**CASES, "more_is_stored": more})
    assert [str(spot) for spot in subject.spots] == [
        "/events of the body of POST /small-api/v1/events of events_are_stored",
        "/events/0 of the body of POST /small-api/v1/events of events_are_stored",
        "/events/0/id of the body of POST /small-api/v1/events of events_are_stored",
        "/events/0/name of the body of POST /small-api/v1/events of events_are_stored",
        "/id of the body of POST /small-api/v1/event of more_is_stored",
        "/name of the body of POST /small-api/v1/event of more_is_stored",
        "/at of the body of POST /small-api/v1/event of more_is_stored",
        "/properties of the body of POST /small-api/v1/event of more_is_stored",
        "/properties/tags of the body of POST /small-api/v1/event of more_is_stored",
        "/properties/tags/0 of the body of POST /small-api/v1/event of more_is_stored",
        "/user of the body of POST /small-api/v1/event of an_event_is_stored",
        "/properties/euros of the body of POST /small-api/v1/event of an_event_is_stored",
        "the query parameter name of GET /small-api/v1/pixel of a_pixel_of_a_page_is_stored",
        "the query parameter site of GET /small-api/v1/pixel of a_pixel_of_a_page_is_stored",
    ]
