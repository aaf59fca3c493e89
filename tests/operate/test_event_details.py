"""What is known of one event, from its request to the answer; and what is said where something is not known."""

import json
from typing import Any

import attrs
import pytest

from gateway.dialect.timestamps import from_millis
from gateway.operate.events.details import (
    MAX_ITEMS,
    NO_DIALECT,
    NOT_KEPT,
    OTHERWISE,
    event_details,
)
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import EventRow
from gateway.storage.engines import open_store
from gateway.storage.read import Position
from gateway.testing.engine.given.entries import entry
from gateway.testing.engine.given.lines import START, line
from tests.cli.lines import keep
from tests.kit.log_reading import awaited, events_of
from tests.kit.sent_requests import batch, installed

BUY: dict[str, object] = {"type": "custom", "name": "buy", "anonymousId": "a-1", "eventId": "e-1"}
BAD: dict[str, object] = {"type": "nonsense", "eventId": "e-2"}
SELL: dict[str, object] = {"type": "custom", "name": "sell", "anonymousId": "a-2", "eventId": "e-3"}


@attrs.frozen
class Kept:
    """A store with some events, by their name."""

    url: str
    positions: dict[str, Position]

    def of(self, name: str) -> dict[str, Any]:
        async def details() -> dict[str, Any] | None:
            store = open_store(self.url)
            async with store.log() as log, store.records() as records:
                return await event_details(log, records, installed, self.positions[name])

        found = awaited(details())
        assert found is not None
        return found


@pytest.fixture(scope="module")
def kept(module_url: str) -> Kept:
    gone = entry(EventRow(line(1, name="of a gone dialect")), project="shop")
    unlike = RawRequest("POST", "/batch", b"{}", b"{}", b'[{"type":"custom","name":"one more"},{}]')
    keep(
        module_url,
        batch(BUY, BAD, SELL),
        batch({**BUY, "eventId": "e-4", "name": "not kept"}, keep=False),
        attrs.evolve(batch({**BUY, "eventId": "e-5", "name": "unlike"}), raw_compressed=compress(unlike)),
        batch(*[{**BUY, "eventId": f"n-{number}", "name": f"n-{number}"} for number in range(90)]),
        attrs.evolve(gone, raw_compressed=compress(unlike)),
    )
    found = {str(json.loads(text)["name"]): position for position, text in events_of(open_store(module_url))}
    return Kept(module_url, found)


def test_an_event_comes_with_its_request_the_answer_and_its_receipt(kept: Kept) -> None:
    found = kept.of("sell")
    event = found.pop("event")
    assert (event["name"], event["message_id"], event["received_at"]) == ("sell", "e-3", from_millis(START))
    receipt = found["receipt"]["receipt"]
    fault = found["receipt"]["items"][1]["faults"][0]
    answer = found.pop("answer")
    body = json.loads(answer.pop("body"))
    assert answer == {
        "status": 200,
        "content_type": "application/json",
        "headers": {"X-Gateway-Receipt": receipt},
    }
    assert [each["status"] for each in body["results"]] == ["success", "error", "success"]
    assert fault["sentence"] == "/type is not a known type of event"
    assert found == {
        "position": kept.positions["sell"],
        "item": 2,
        "request": {
            "method": "POST",
            "path": "/batch",
            "query": {"website_id": "[redacted]"},
            "headers": {"content-type": "application/json", "user-agent": "Curl/8"},
            "client_ip": "192.0.2.7",
            "size": len(json.dumps([BUY, BAD, SELL])),
            "body": json.dumps([BUY, BAD, SELL]),
            "cut": False,
        },
        "receipt": {
            "receipt": receipt,
            "project": "shop",
            "dialect": "databuddy",
            "route": "batch",
            "received_at": from_millis(START),
            "items": [
                {"verdict": "stored", "message_id": "e-1", "position": kept.positions["buy"]},
                {"verdict": "rejected", "message_id": "e-2", "faults": [fault]},
                {"verdict": "stored", "message_id": "e-3", "position": kept.positions["sell"]},
            ],
        },
        "notes": [],
    }


@pytest.mark.parametrize(
    ("name", "note", "has_request"),
    [("not kept", NOT_KEPT, False), ("unlike", OTHERWISE, True), ("of a gone dialect", NO_DIALECT, True)],
)
def test_what_is_not_known_is_said(kept: Kept, name: str, note: str, has_request: bool) -> None:
    found = kept.of(name)
    assert (found["answer"], found["notes"], found["request"] is not None) == (None, [note], has_request)
    assert found["receipt"]["items"][0]["position"] == kept.positions[name]


def test_of_a_long_receipt_the_first_items_are_shown_and_the_event_s_own(kept: Kept) -> None:
    found = kept.of("n-80")
    assert (len(found["receipt"]["items"]), found["receipt"]["more_items"], found["item"]) == (MAX_ITEMS, 40, 80)
    assert found["receipt"]["own_item"]["position"] == kept.positions["n-80"]
    assert len(json.loads(found["answer"]["body"])["results"]) == 90


async def test_an_event_that_is_not_there_is_none(kept: Kept) -> None:
    store = open_store(kept.url)
    async with store.log() as log, store.records() as records:
        assert await event_details(log, records, installed, log.parse_position("999999")) is None
