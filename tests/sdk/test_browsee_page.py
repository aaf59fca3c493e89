"""Browsee's `_browsee` calls on a page that loads the gateway's shim in the place of the vendor's recorder."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.dialects.browsee.sdk import BROWSEE_KEY
from tests.kit.serving import Served
from tests.sdk.programs import Open
from tests.sdk.site import Site
from tests.sdk.stored import CHROMIUM, JUST_BEFORE, MADE_FROM_KEY, MADE_HERE, Kept, event

SDK, VERSION = "Browsee's _browsee (through the shim)", "web-sdk 1.0.0 (its calls)"
AROUND = {"ip": "127.0.0.1", "user_agent": CHROMIUM}
QUEUE = "window._browsee = window._browsee || function () { (_browsee.q = _browsee.q || []).push(arguments) };"
OURS = "<script src=/browsee.js></script>"


def shim(gateway: Served, attributes: str = f"data-api-key={BROWSEE_KEY}") -> str:
    return f"<script src={gateway.url}/-/shim/browsee.js {attributes}></script>"


def seen(address: str, type_: str, **fields: object) -> dict[str, Any]:
    """Return the event of a call on the page of that address, whose title is the site's own."""
    page = {"url": address, "path": urlsplit(address).path, "title": "Shop"}
    whole = {"message_id": MADE_FROM_KEY, "timestamp": JUST_BEFORE, "context": {**AROUND, "page": page}, **fields}
    return event("browsee", type_, **whole)


@pytest.mark.parametrize("way", ["words", "methods"])
@pytest.mark.proves(SDK, VERSION, "logEvent and identify by {way}")
def test_events_before_and_after_a_person_is_known_are_stored_in_order(
    gateway: Served, stored: Kept, visit: Open, shop: Site, way: str
) -> None:
    page = shop.page("/browsee.html", shim(gateway) + OURS)
    calls = [
        ["logEvent", "CLICKED", {"price": 12.5, "tags": ["a"]}],
        ["identify", "u-1", {"name": "Ann", "$tags": ["vip"], "a.b": 1}],
        ["logEvent", "PAID"],
    ]
    told = visit(page, (way, calls), ("started", None), ("sessionUrl", None))
    visitor = told.told[0]
    assert told.said == []
    assert told.told[1:] == [["br_session_init"], {"url": None}]
    assert stored.take(3) == [
        seen(page, "track", name="CLICKED", anonymous_id=visitor, properties={"price": 12.5, "tags": ["a"]}),
        seen(
            page,
            "identify",
            anonymous_id=visitor,
            user_id="u-1",
            traits={"name": "Ann", "$tags": ["vip"], "a.b": 1},
        ),
        seen(page, "track", name="PAID", anonymous_id=visitor, user_id="u-1"),
    ]


@pytest.mark.proves(SDK, VERSION, "the snippet's queue, its key from init")
def test_what_the_snippet_queued_before_the_script_came_is_stored(
    gateway: Served, stored: Kept, visit: Open, shop: Site
) -> None:
    queued = f"{QUEUE} _browsee('init', '{BROWSEE_KEY}'); _browsee('logEvent', 'EARLY', {{ n: 1 }});"
    page = shop.page("/snippet.html", f"<script>{queued}</script>" + shim(gateway, "async") + OURS)
    told = visit(page, ("words", [["logEvent", "LATE"]])).told
    assert stored.take(2) == [
        seen(page, "track", name="EARLY", anonymous_id=told[0], properties={"n": 1}),
        seen(page, "track", name="LATE", anonymous_id=told[0]),
    ]


@pytest.mark.proves(SDK, VERSION, "the published loader's calls")
def test_the_published_loader_finds_the_shim_and_loads_nothing_else(
    gateway: Served, stored: Kept, visit: Open, shop: Site
) -> None:
    page = shop.page("/loader.html", shim(gateway) + OURS)
    calls = [["logEvent", "CLICKED", {"n": 1}], ["identify", "u-1", {"email": "a@example.com"}]]
    told = visit(page, ("loader", {"apiKey": BROWSEE_KEY, "calls": calls}), ("words", []))
    assert told.told[0] is False
    assert {call["url"].removeprefix(gateway.url) for call in told.sent} <= {
        "/-/shim/browsee.js",
        "/api/v1/track",
        "/api/v1/identify",
    }
    assert stored.take(2) == [
        seen(page, "track", name="CLICKED", anonymous_id=told.told[1], properties={"n": 1}),
        seen(page, "identify", anonymous_id=told.told[1], user_id="u-1", traits={"email": "a@example.com"}),
    ]


@pytest.mark.proves(SDK, VERSION, "identify with the visitor's own id")
def test_a_visitor_identified_by_the_anonymous_id_stays_anonymous(
    gateway: Served, stored: Kept, visit: Open, shop: Site
) -> None:
    page = shop.page("/browsee.html", shim(gateway) + OURS)
    told = visit(page, ("identifyAsTheVisitor", {"plan": "pro"})).told
    assert stored.take(1) == [seen(page, "identify", anonymous_id=told[0], traits={"plan": "pro"})]


@pytest.mark.parametrize("leave", ["close", "navigate"])
@pytest.mark.proves(SDK, VERSION, "logEvent just before, and as, the tab is left ({leave})")
def test_what_leaves_with_the_page_is_stored_once(
    gateway: Served, stored: Kept, visit: Open, shop: Site, leave: str
) -> None:
    page = shop.page("/browsee.html", shim(gateway) + OURS)
    before = [["logEvent", f"BEFORE{number}"] for number in range(3)]
    told = visit(page, ("atTheEnd", [["logEvent", "LEFT"]]), ("words", before), leave=leave).told
    events = sorted(stored.take(4), key=lambda each: str(each["name"]))  # the last ones overtake each other
    for each in events:
        assert each.pop("message_id") in (MADE_HERE, MADE_FROM_KEY)  # a beacon has no key
    expected = [
        seen(page, "track", name=name, anonymous_id=told[0]) for name in ("BEFORE0", "BEFORE1", "BEFORE2", "LEFT")
    ]
    assert events == [{key: value for key, value in each.items() if key != "message_id"} for each in expected]


@pytest.mark.proves(SDK, VERSION, "a wrong key")
def test_a_wrong_key_is_told_on_the_console_and_disturbs_nobody(
    gateway: Served, stored: Kept, visit: Open, shop: Site
) -> None:
    page = shop.page("/browsee.html", shim(gateway, "data-api-key=nobodys") + OURS)
    told = visit(page, ("words", [["logEvent", "LOST"]]), ("warning", None)).told
    assert told[1] == "browsee shim: a call to track was dropped: 400"
    assert stored.take(0) == []


@pytest.mark.proves(SDK, VERSION, "the page of each call, where an application changes it")
def test_each_call_takes_along_the_page_as_it_is_at_that_time(
    gateway: Served, stored: Kept, visit: Open, shop: Site
) -> None:
    page = shop.page("/browsee.html", shim(gateway) + OURS)
    moved = ("moveTo", {"address": "/cart?step=2#pay", "title": ""})
    told = visit(page, ("words", [["logEvent", "SEEN"]]), moved, ("words", [["identify", "u-1"]])).told
    cart = {"url": f"{page.removesuffix('/browsee.html')}/cart?step=2#pay", "path": "/cart", "search": "?step=2"}
    assert stored.take(2) == [
        seen(page, "track", name="SEEN", anonymous_id=told[0]),
        seen(page, "identify", anonymous_id=told[0], user_id="u-1", context={**AROUND, "page": cart}),
    ]


@pytest.mark.proves(SDK, VERSION, "a page with a long address, and a title with half of a surrogate pair")
def test_a_page_of_any_length_and_title_is_cut_and_mended(
    gateway: Served, stored: Kept, visit: Open, shop: Site
) -> None:
    page = shop.page("/browsee.html", shim(gateway) + OURS)
    path, search = "/" + "p" * 3000, "?" + "q" * 3000
    title = "half \udc00 whole \U0001f600 " + "t" * 495 + "\U0001f600 and more"
    told = visit(page, ("moveTo", {"address": path + search, "title": title}), ("words", [["logEvent", "SEEN"]])).told
    cut = {
        "url": (page.removesuffix("/browsee.html") + path)[:2048],
        "path": path[:2048],
        "search": search[:2048],
        "title": "half \ufffd whole \U0001f600 " + "t" * 495 + "\ufffd",
    }
    context = {**AROUND, "page": cut}
    assert stored.take(1) == [seen(page, "track", name="SEEN", anonymous_id=told[1], context=context)]


@pytest.mark.proves(SDK, VERSION, "a page with a referrer, in a frame")
def test_the_page_before_is_the_referrer(gateway: Served, stored: Kept, visit: Open, shop: Site) -> None:
    queued = f"{QUEUE} _browsee('init', '{BROWSEE_KEY}'); _browsee('logEvent', 'SEEN');"
    inner = shop.page("/inner.html", f"<script>{queued}</script>" + shim(gateway, "async"))
    outer = shop.page("/outer.html", f"<iframe src={inner}></iframe>")
    visit(outer)
    [seen_there] = stored.take(1)
    page = {"url": inner, "path": "/inner.html", "title": "Shop", "referrer": outer}
    assert len(seen_there["anonymous_id"]) == 32
    visitor = seen_there["anonymous_id"]
    expected = seen(inner, "track", name="SEEN", anonymous_id=visitor, context={**AROUND, "page": page})
    assert seen_there == expected
