"""How events are shown in short, and requests and JSON for people; and a search that has to stop."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.datadir import make
from gateway.dialect.timestamps import from_millis
from gateway.operate.events.details import MAX_BODY, pretty, shown_request
from gateway.operate.events.rows import MAX_TEXT, event_row
from gateway.operate.events.search import search
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import EventRow
from gateway.storage.engines import open_store
from gateway.storage.read import EventFilter
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import entry
from gateway.testing.engine.given.lines import MINUTE, START, line


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second each time it is asked."""
    return map(float, count()).__next__


async def test_a_search_that_takes_long_says_how_far_it_got_and_goes_on_from_there(tmp_path: Path) -> None:
    store = open_store(f"sqlite:{make(tmp_path / 'data').path}")
    async with store.storage(StoreSettings()) as storage:
        for number in range(30):  # about four of them are a page
            at = START + number * MINUTE
            row = EventRow(line(number, at=at, properties={"fill": "x" * 900_000}))
            await storage.append(attrs.evolve(entry(row, project="shop"), received_at=at))
    async with store.log() as reader:
        where, until, seen = EventFilter(message_id="m-3"), None, []
        rows: list[dict[str, Any]] = []
        while True:
            found = await search(reader, where, ticking(), until=until)
            rows += found.rows
            if not found.stopped:
                break
            until = found.older
            seen.append(until)
            beginning = until == 0  # there is nothing before the first event
            assert found.searched_to == (None if beginning else from_millis(START + (int(str(until)) - 1) * MINUTE))
        assert ([each["message_id"] for each in rows], len(seen) > 2) == (["m-3"], True)
        last = await search(reader, EventFilter(name="nobody"), ticking(), after=0)
        assert (last.rows, last.stopped, last.older) == ([], True, 0)
        assert last.searched_to == from_millis(START + (int(str(last.newer)) - 1) * MINUTE)


def test_a_row_is_short_whatever_a_client_has_named() -> None:
    row = event_row(7, line(1, at=START, name="x" * 5000, anonymous_id="a-1"))
    assert row == {
        "position": 7,
        "verdict": "stored",
        "received_at": from_millis(START),
        "project": "shop",
        "dialect": "toy",
        "type": "track",
        "name": "x" * MAX_TEXT + "…",
        "message_id": "m-1",
        "user_id": None,
        "anonymous_id": "a-1",
    }
    assert [event_row(1, each)["project"] for each in (b"[]", b"no JSON", b'{"project":7}')] == [None, None, "7"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"{}", {"body": "{}", "cut": False}),
        (b"\xff\0", {"body_base64": "/wA=", "cut": False}),
        ("é".encode() * MAX_BODY, {"body": "é" * (MAX_BODY // 2), "cut": True}),
        (b"a" + "é".encode() * MAX_BODY, {"body": "a" + "é" * (MAX_BODY // 2 - 1), "cut": True}),
    ],
)
def test_a_body_is_shown_as_text_where_it_is_text_and_cut_where_it_is_long(body: bytes, shown: dict[str, Any]) -> None:
    found = shown_request(RawRequest("POST", "/x", b"{}", b"not JSON", body))
    rest: dict[str, Any] = {"method": "POST", "path": "/x", "query": {}, "headers": "not JSON"}
    assert found == {**rest, "client_ip": None, "size": len(body), **shown}


def test_json_is_shown_in_its_own_characters() -> None:
    assert pretty({"a": "é\ud800"}) == '{\n  "a": "é\\ud800"\n}'
