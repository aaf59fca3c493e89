"""The check of what meets a schema: a translate that fails on it is shown the value, though no case has its member."""

from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from gateway.dialect import Event, Item, Received
from tests.testing import small
from tests.testing.checking import failure, kept, place
from tests.testing.small import subject_of, with_route

NAME = "payloads/whatever meets its schema is translated"


def test_a_dialect_that_translates_whatever_meets_its_schema_passes(tmp_path: Path) -> None:
    assert kept(subject_of(tmp_path), "payloads") == [NAME]


def test_a_translate_that_fails_on_a_member_that_no_case_has_is_named(tmp_path: Path) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        payload: Any = item.payload
        at = datetime.fromisoformat(payload.get("at", received.received_at))
        return attrs.evolve(small.translate(item, message_id, received), properties={"year": at.year})

    subject = subject_of(tmp_path, with_route("event", translate=translate))
    assert str(failure(subject, NAME)) == (
        "`translate` fails on an item of route event with '' at /at, which meets the schema event:"
        f" ValueError: Invalid isoformat string: '' {place(translate, 2)}"
        "\n  To do: have the schema refuse such a value, or have `translate` return a Fault or keep the value under"
        " `context.<dialect>`: it gets whatever meets the item's schema, and an event has JSON values only"
    )


def test_an_event_that_takes_a_value_over_unseen_is_named(tmp_path: Path) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        payload: Any = item.payload
        event = small.translate(item, message_id, received)
        return attrs.evolve(event, timestamp=payload.get("at", received.received_at))

    subject = subject_of(tmp_path, with_route("event", translate=translate))
    assert str(failure(subject, NAME)) == (
        "an item of route event with '' at /at, which meets the schema event became an event that is not canonical:"
        " /timestamp of the event breaks the rule `pattern` of jsonschemas/canonical/event.json"
        "\n  To do: have `translate` put a value only where its type fits (docs/events.md has the places), and keep"
        " another one under `context.small`"
    )
