"""The checks of clocks, chance and misplaced facts, with a dialect that keeps each promise and others."""

import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect import Accepted, Event, Item, Received, Request, Response, Submission
from tests.testing import small
from tests.testing.checking import failure, kept
from tests.testing.small import subject_of, with_route

NO_CLOCK = "purity/no function asks a clock, chance or the machine"
NO_PROPERTY = "facts/what is no property does not become one by its name"
CASE = "POST /small-api/v1/event of an_event_is_stored"
GIVEN = "make what is returned of what is given alone: Received.received_at is the time, and the gateway makes ids"


def test_a_good_dialect_keeps_both_promises(tmp_path: Path) -> None:
    assert NO_CLOCK in kept(subject_of(tmp_path), "purity")
    assert NO_PROPERTY in kept(subject_of(tmp_path), "facts")


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (time.time, "time.time"),
        (lambda: datetime.now(UTC), "datetime.now"),
        (date.today, "date.today"),
        (lambda: random.random(), "random.random"),  # what a stranger may write
    ],
)
def test_what_translate_asks_is_told(tmp_path: Path, asked: Callable[[], object], name: str) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        asked()
        return small.translate(item, message_id, received)

    said = failure(subject_of(tmp_path, with_route("event", translate=translate)), NO_CLOCK)
    wrong, _, where = said.wrong.partition(" (test_checks_clocks.py:")
    assert wrong == f"{CASE}: `translate` calls {name}"
    assert where[:-1].isdecimal()
    assert said.remedy == GIVEN


def test_what_parse_and_render_ask_is_told(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        uuid.uuid4()
        return small.parse_event(request)

    def render(accepted: Accepted) -> Response:
        time.time()
        return small.render(accepted)

    said = failure(subject_of(tmp_path, with_route("event", parse=parse)), NO_CLOCK)
    assert said.wrong.startswith(f"{CASE}: `parse` calls os.urandom (uuid.py:")
    said = failure(subject_of(tmp_path, with_route("event", render=render)), NO_CLOCK)
    assert said.wrong.startswith(f"{CASE}: `render` calls time.time (test_checks_clocks.py:")


def test_a_known_fact_that_becomes_a_property_is_told(tmp_path: Path) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        payload: Any = item.payload
        event = small.translate(item, message_id, received)
        found = {name: payload[name] for name in ("referrer",) if name in payload}
        return attrs.evolve(event, properties={**event.properties, **found})

    said = failure(subject_of(tmp_path, with_route("event", translate=translate)), NO_PROPERTY)
    assert said.wrong == (
        f"{CASE} with referrer in the body: `translate` makes a property of it, and none of an unknown member"
    )
    assert said.remedy == "put it into its canonical place (docs/events.md), or leave it to `unknown_fields`"
