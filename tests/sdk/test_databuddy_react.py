"""What the component `<Databuddy>` of `@databuddy/sdk/react` injects into a page, and where that then sends."""

import json
import re

import pytest

from tests.dialects.databuddy.sdk import DATABUDDY_SITE
from tests.kit.serving import Served
from tests.sdk.programs import Bundled, Open
from tests.sdk.site import HOST, Site
from tests.sdk.stored import CHROMIUM, Kept, event

SDK = "@databuddy/sdk/react"
VERSIONS = ["2.6.0", "2.3.29", "2.3.21", "2.2.1"]
AROUND = {"ip": "127.0.0.1", "user_agent": CHROMIUM, "app": {"id": DATABUDDY_SITE}}
INJECTED = ("injected", None)
SIGNUP = {"name": "signup", "properties": {"plan": "pro"}}


def app(shop: Site, bundled: Bundled, version: str, options: dict[str, object]) -> str:
    """Return the address of a page with the component."""
    shop.script("/react.js", bundled("react_app.js", ("databuddy", f"databuddy-{version}")))
    given = f"<script type=application/json id=options>{json.dumps(options)}</script>"
    return shop.page("/react.html", f"<div id=root></div>{given}<script src=/react.js></script>")


def viewed(shop: Site) -> dict[str, object]:
    page = {"url": f"http://{HOST}:{shop.port}/react.html", "path": "/react.html", "title": "Shop"}
    return event("databuddy", "page", name="Shop", message_id="view-1", context={**AROUND, "page": page})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.proves(SDK, "{version}", "<Databuddy apiUrl>, track()")
def test_the_component_leads_its_script_to_the_gateway(
    gateway: Served, stored: Kept, visit: Open, shop: Site, bundled: Bundled, version: str
) -> None:
    script = f"http://{HOST}:{shop.port}/tracker.js?eventId=view-1"
    options: dict[str, object] = {
        "clientId": DATABUDDY_SITE,
        "apiUrl": gateway.url,
        "scriptUrl": script,
        "trackWebVitals": True,
        "batchTimeout": 2000,
        "skipPatterns": ["/admin/**"],
    }
    shop_page = app(shop, bundled, version, {**options, "scriptUrl": f"{script}-{version}"})
    seen = visit(shop_page, INJECTED, ("track", SIGNUP))
    assert seen.said == []
    said_version = seen.told[0].pop("data-sdk-version")
    assert re.fullmatch(r"2\.[0-9]\.[0-9]+", said_version)  # some releases carry the number before theirs
    assert seen.told == [
        {
            "src": f"{script}-{version}",
            "async": "",
            "crossorigin": "anonymous",
            "data-databuddy-injected": "true",
            "data-client-id": DATABUDDY_SITE,
            "data-api-url": gateway.url,
            "data-track-web-vitals": "true",
            "data-batch-timeout": "2000",
            "data-skip-patterns": '["/admin/**"]',
        },
        None,
    ]
    tracked = event(
        "databuddy",
        name="signup",
        properties={"plan": "pro"},
        context={**AROUND, "databuddy": {"source": "browser"}},
    )
    view = {**viewed(shop), "message_id": f"view-1-{version}"}
    assert sorted(stored.take(2), key=_type) == [view, tracked]  # two beacons may overtake each other


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.proves(SDK, "{version}", "apiUrl in the address of scriptUrl")
def test_the_gateway_may_be_named_in_the_scripts_own_address(
    gateway: Served, stored: Kept, visit: Open, shop: Site, bundled: Bundled, version: str
) -> None:
    script = f"http://{HOST}:{shop.port}/tracker.js?eventId=view-2-{version}&apiUrl={gateway.url}"
    options: dict[str, object] = {"clientId": DATABUDDY_SITE, "scriptUrl": script}
    seen = visit(app(shop, bundled, version, options), INJECTED)
    assert seen.told[0]["src"] == script
    assert stored.take(1) == [{**viewed(shop), "message_id": f"view-2-{version}"}]


@pytest.mark.proves(SDK, "2.6.0", "identify()")
def test_a_person_identified_in_the_page_is_stored(
    gateway: Served, stored: Kept, visit: Open, shop: Site, bundled: Bundled
) -> None:
    script = f"http://{HOST}:{shop.port}/tracker.js?eventId=view-3"
    options: dict[str, object] = {"clientId": DATABUDDY_SITE, "apiUrl": gateway.url, "scriptUrl": script}
    traits = {"email": "a@example.com"}
    visit(app(shop, bundled, "2.6.0", options), INJECTED, ("identify", {"profileId": "p-1", "traits": traits}))
    identified = event("databuddy", "identify", user_id="p-1", traits=traits, context=AROUND)
    assert sorted(stored.take(2), key=_type) == [identified, {**viewed(shop), "message_id": "view-3"}]


def _type(stored: dict[str, object]) -> str:
    return str(stored["type"])
