"""What the component `<Databuddy>` of `@databuddy/sdk/vue` injects into a page, and where that then sends."""

import json

import pytest

from tests.dialects.databuddy.sdk import DATABUDDY_SITE
from tests.kit.serving import Served
from tests.sdk.programs import Bundled, Open
from tests.sdk.site import HOST, Site
from tests.sdk.stored import CHROMIUM, Kept, event

SDK, VERSION = "@databuddy/sdk/vue", "2.6.0"


@pytest.mark.proves(SDK, VERSION, "<Databuddy api-url>")
def test_the_component_leads_its_script_to_the_gateway(
    gateway: Served, stored: Kept, visit: Open, shop: Site, bundled: Bundled
) -> None:
    shop.script("/vue.js", bundled("vue_app.js", ("databuddy", f"databuddy-{VERSION}")))
    script = f"http://{HOST}:{shop.port}/tracker.js?eventId=vue-1"
    options = {"clientId": DATABUDDY_SITE, "apiUrl": gateway.url, "scriptUrl": script, "trackErrors": True}
    given = f"<script type=application/json id=options>{json.dumps(options)}</script>"
    address = shop.page("/vue.html", f"<div id=root></div>{given}<script src=/vue.js></script>")
    seen = visit(address, ("injected", None))
    assert seen.said == []
    assert seen.told == [
        {
            "src": script,
            "async": "",
            "crossorigin": "anonymous",
            "data-databuddy-injected": "true",
            "data-sdk-version": VERSION,
            "data-client-id": DATABUDDY_SITE,
            "data-api-url": gateway.url,
            "data-track-errors": "true",
        }
    ]
    page = {"url": address, "path": "/vue.html", "title": "Shop"}
    context = {"ip": "127.0.0.1", "user_agent": CHROMIUM, "app": {"id": DATABUDDY_SITE}, "page": page}
    assert stored.take(1) == [event("databuddy", "page", name="Shop", message_id="vue-1", context=context)]
