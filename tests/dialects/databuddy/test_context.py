"""How an address becomes the parts of a page, beyond what the corpus shows."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from dialects.databuddy import parse, translate
from gateway.dialect import Event, Received, Request

ADDRESSES = st.text(st.sampled_from("ab/?#:&=.")) | st.text().map("https://a.example/".__add__)


def event_on(path: str) -> Event:
    """Return the event of an entry with this path."""
    request = Request("POST", "/batch", {}, {}, json.dumps([{"name": "screen_view", "path": path}]).encode(), 0)
    [item] = parse.batch(request).items
    event = translate.batch(item, "m-1", Received("shop", None, "2026-01-02T03:04:05.678Z", None, {}))
    assert isinstance(event, Event)
    return event


@given(ADDRESSES)
@example("/a?x=1")
@example("/a?")
@example("/a#top")
def test_an_address_is_found_again_whole(sent: str) -> None:
    context = event_on(sent).context
    page, own = context["page"], context.get("databuddy", {})
    assert isinstance(page, dict)
    assert isinstance(own, dict)
    assert sent in (page.get("url"), own.get("path"), page["path"] + page.get("search", ""))
    assert "?" not in page["path"]
    assert "#" not in page["path"] + page.get("search", "")
