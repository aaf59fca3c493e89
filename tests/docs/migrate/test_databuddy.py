"""docs/migrate/databuddy.md, done by a team. The tracker is not on npm: tests/sdk/pages/tracker.js stands in for it."""

import json
from typing import Any

from tests.dialects.databuddy.sdk import DATABUDDY_SITE
from tests.docs.migrate.steps import check_the_commands, check_the_first_event, check_the_mistakes
from tests.docs.migrate.team import Team
from tests.sdk.programs import Drive, Open
from tests.sdk.site import PAGES
from tests.sdk.stored import CHROMIUM, JUST_BEFORE, Kept, event

VENDOR = "databuddy"
TRACKER = (PAGES / "tracker.js").read_bytes()
BY_HAND = event(VENDOR, name="migration_started", properties={"by": "hand"})
OF_THE_SITE = {"app": {"id": DATABUDDY_SITE}}
REACT = """
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { Analytics } from "./component";
createRoot(document.getElementById("root")).render(createElement(Analytics));
"""
VUE = """
import { createApp } from "vue";
import Analytics from "./component.vue";
createApp(Analytics).mount("#root");
"""
APP = "<div id=root></div><script src=/app.js></script>"


def viewed(address: str) -> dict[str, Any]:
    """Return the event of a page view on the page of that address."""
    page = {"url": address, "path": "/shop.html", "title": "Shop"}
    context = {"ip": "127.0.0.1", "user_agent": CHROMIUM, "page": page, **OF_THE_SITE}
    return event(VENDOR, "page", name="Shop", context=context)


def test_a_first_event_by_hand_is_answered_as_the_page_says(team: Team) -> None:
    check_the_first_event(team, VENDOR)


def test_a_script_tag_sends_to_the_gateway_with_the_script_from_the_vendor(
    team: Team, stored: Kept, visit: Open
) -> None:
    page, from_cdn = team.guide(VENDOR), team.guide(VENDOR).policies()[0]
    team.site.script("/databuddy.js", TRACKER)
    address = team.page(page.block("html", "A script tag"), from_cdn)
    assert visit(address).said == []
    assert stored.take(1) == [viewed(address)]


def test_the_component_of_react_sends_to_the_gateway_with_the_script_from_the_vendor(
    team: Team, stored: Kept, visit: Open, drive: Drive
) -> None:
    page = team.guide(VENDOR)
    cdn = f"http://127.0.0.1:{team.site.port}/databuddy.js"
    built = team.bundled(drive, page.block("tsx", "React and Next.js"), REACT, "tsx")
    team.site.script("/databuddy.js", TRACKER)
    # The package has the vendor's address, and Chromium may not ask for it.
    team.site.script("/app.js", built.replace(b"https://cdn.databuddy.cc/databuddy.js", cdn.encode()))
    address = team.page(APP, page.policies()[0])
    assert visit(address).said == []
    assert stored.take(1) == [viewed(address)]


def test_the_component_of_vue_sends_to_the_gateway_with_a_script_of_the_site(
    team: Team, stored: Kept, visit: Open, drive: Drive
) -> None:
    page = team.guide(VENDOR)
    team.site.script("/databuddy.js", TRACKER)
    team.site.script("/app.js", team.bundled(drive, page.block("vue", "Vue"), VUE, "vue"))
    address = team.page(APP, page.policies()[1])
    assert visit(address).said == []
    assert stored.take(1) == [viewed(address)]


def test_a_copy_of_the_script_is_pinned_by_its_digest(team: Team, stored: Kept, visit: Open) -> None:
    page, own = team.guide(VENDOR), "Serving the script yourself"
    team.site.script("/databuddy.js", TRACKER)
    digest = team.typed(page.block("sh", own))
    team.site.script("/databuddy.js", (team.folder / "public" / "databuddy.js").read_bytes())
    address = team.page(page.block("html", own).replace("YOUR_DIGEST", digest), page.policies()[1])
    assert visit(address).said == []
    assert stored.take(1) == [viewed(address)]
    team.site.script("/databuddy.js", TRACKER + b"// changed")
    [refused] = visit(address).said
    assert "Failed to find a valid digest" in refused


def test_the_policies_allow_the_pixel(team: Team, stored: Kept, visit: Open) -> None:
    fields = f"client_id={DATABUDDY_SITE}&type=track&name=seen"
    pixel = f'<img src="{team.gateway.url}/px.jpg?{fields}" alt="">'
    seen = event(VENDOR, name="seen", context={"ip": "127.0.0.1", "user_agent": CHROMIUM, **OF_THE_SITE})
    for policy in team.guide(VENDOR).policies():
        assert visit(team.page(pixel, policy)).said == []
        assert stored.take(1) == [seen]


def test_a_policy_that_has_not_moved_is_seen_on_the_browsers_console(team: Team, stored: Kept, visit: Open) -> None:
    page = team.guide(VENDOR)
    team.site.script("/databuddy.js", TRACKER)
    policy = page.policies()[0].replace(f"connect-src 'self' {team.gateway.url}", "connect-src 'self'")
    said = visit(team.page(page.block("html", "A script tag"), policy)).said
    assert [("Content Security Policy" in line, team.gateway.url in line) for line in said] == [(True, True)]
    assert stored.rest() == []


def test_a_server_sends_to_the_gateway(team: Team, stored: Kept) -> None:
    assert team.node(team.guide(VENDOR).block("js", "Node")) == ""
    assert stored.take(1) == [
        event(
            VENDOR,
            name="order_paid",
            timestamp=JUST_BEFORE,
            properties={"total": 12.5},
            context={"library": {"name": "node"}, **OF_THE_SITE},
        )
    ]


def test_a_flag_that_is_asked_of_the_gateway_is_off(team: Team) -> None:
    program = f"""
import {{ createServerFlagsManager }} from "@databuddy/sdk/node";
const flags = createServerFlagsManager({{ clientId: "{DATABUDDY_SITE}", apiUrl: "{team.gateway.url}" }});
console.log(JSON.stringify(await flags.getFlag("new-checkout")));
process.exit();
"""
    off = {"enabled": False, "value": False, "payload": None, "reason": "ERROR"}
    assert json.loads(team.node(program)) == off


def test_its_commands_show_what_came_in_and_take_it_along(team: Team) -> None:
    check_the_commands(team, VENDOR, BY_HAND)


def test_mistakes_are_answered_as_in_its_table(team: Team) -> None:
    event_, other = {"name": "seen"}, {"Origin": "https://other.example"}
    check_the_mistakes(
        team,
        VENDOR,
        {
            "404 Website not found": ("/track?website_id=unknown", event_, {}),
            "400 Invalid or inactive client ID": ("/batch?client_id=unknown", [event_], {}),
            "401 API key or website_id required": ("/track", event_, {"Authorization": "Bearer dbdy_unknown"}),
            "403 Origin not authorized": (f"/track?website_id={DATABUDDY_SITE}", event_, other),
        },
    )
