"""`@dittofeed/sdk-web`, bundled into a page as a team does, with only its `host` changed."""

from typing import Any

import pytest

from tests.dialects.tranthor.sdk import TRANTHOR_KEY
from tests.kit.serving import Served
from tests.sdk.programs import Bundled, Drive, Open
from tests.sdk.site import Site
from tests.sdk.stored import CHROMIUM, MADE_THERE, Kept, event

SDK, VERSION = "@dittofeed/sdk-web", "0.1.2"
VISITOR = {"ip": "127.0.0.1", "user_agent": CHROMIUM}
TRACK = ["track", {"anonymousId": "a-1", "event": "Clicked", "properties": {"n": 1}}]


def sent_by_a_page(type_: str, **fields: object) -> dict[str, Any]:
    """Return the event of a call from a page: its visitor's address and user agent are Chromium's."""
    return event("tranthor", type_, context=VISITOR, **fields)


CLICKED = sent_by_a_page("track", name="Clicked", message_id=MADE_THERE, anonymous_id="a-1", properties={"n": 1})


@pytest.fixture
def page(shop: Site, bundled: Bundled) -> str:
    shop.script("/web.js", bundled("dittofeed.js", ("dittofeed", f"dittofeed-web-{VERSION}")))
    return shop.page("/tranthor.html", "<script src=/web.js></script>")


def calling(host: str, *calls: object, key: str = TRANTHOR_KEY) -> tuple[str, object]:
    return "call", {"options": {"writeKey": key, "host": host}, "calls": calls}


@pytest.mark.proves(SDK, VERSION, "init({{host}})")
def test_the_sdk_is_the_published_one(drive: Drive) -> None:
    assert drive("version.mjs", f"dittofeed-web-{VERSION}") == {"name": SDK, "version": VERSION}


@pytest.mark.proves(SDK, VERSION, "identify(), track(), page(), screen(), flush()")
def test_each_call_is_an_event_of_its_type(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    calls = [
        ["identify", {"userId": "u-1", "traits": {"email": "a@example.com"}}],
        TRACK,
        ["page", {"anonymousId": "a-1", "name": "Home"}],
        ["screen", {"userId": "u-1", "name": "Recipe", "messageId": "screen-1"}],
        ["flush"],
    ]
    seen = visit(page, calling(gateway.url, *calls))
    assert (seen.told, seen.said) == ([[None] * 5], [])
    assert stored.take(4) == [
        sent_by_a_page("identify", message_id=MADE_THERE, user_id="u-1", traits={"email": "a@example.com"}),
        CLICKED,
        sent_by_a_page("page", name="Home", message_id=MADE_THERE, anonymous_id="a-1"),
        sent_by_a_page("screen", name="Recipe", message_id="screen-1", user_id="u-1"),
    ]


@pytest.mark.proves(SDK, VERSION, "track(), sent by the SDK's own timer")
def test_what_the_sdk_sends_by_itself_is_stored(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    visit(page, calling(gateway.url, TRACK))
    assert stored.take(1) == [CLICKED]


@pytest.mark.parametrize("leave", ["close", "navigate"])
@pytest.mark.proves(SDK, VERSION, "flush() as the tab is left ({leave})")
def test_what_was_flushed_survives_the_page(gateway: Served, stored: Kept, visit: Open, page: str, leave: str) -> None:
    visit(page, calling(gateway.url, TRACK, ["flush"]), leave=leave)
    assert stored.take(1) == [CLICKED]


@pytest.mark.proves(SDK, VERSION, "a wrong writeKey")
def test_a_page_sees_that_its_key_is_wrong(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    seen = visit(page, calling(gateway.url, TRACK, ["flush"], key="Basic d3Jvbmc="))
    assert seen.told == [[None, "HTTP error! status: 401"]]
    assert stored.take(0) == []
