"""docs/migrate/appizer.md, done by a team. Its script is on the vendor's CDN only: pages/appizer-web.js stands in."""

import ast
import re
import subprocess
import sys
from typing import Any

from tests.dialects.appizer.sdk import APPIZER_APP, APPIZER_KEY
from tests.docs.migrate.steps import check_the_commands, check_the_first_event, check_the_mistakes
from tests.docs.migrate.team import Team
from tests.sdk.programs import PATIENCE, Open
from tests.sdk.site import PAGES
from tests.sdk.stored import CHROMIUM, Kept, event

VENDOR = "appizer"
SCRIPT = (PAGES / "appizer-web.js").read_bytes()
BY_HAND = event(VENDOR, "identify", user_id="user_123", traits={"email": "ann@example.com"})
BROWSER = {"ip": "127.0.0.1", "user_agent": CHROMIUM, "app": {"id": APPIZER_APP}}


def page_sent(stored: Kept) -> list[dict[str, Any]]:
    """Return the two events of the page, whose requests may overtake each other, without the visitor's random id."""
    events = sorted(stored.take(2), key=lambda each: str(each["name"]))
    visitors = {each.pop("user_id") for each in events}
    assert len(visitors) == 1
    return events


def meant() -> list[dict[str, Any]]:
    viewed = event(VENDOR, name="page_view", properties={"page": "/shop.html"}, context=BROWSER)
    bought = event(VENDOR, name="purchase_completed", properties={"amount": 29.99, "currency": "USD"}, context=BROWSER)
    return [{key: value for key, value in each.items() if key != "user_id"} for each in (viewed, bought)]


def test_a_first_event_by_hand_is_answered_as_the_page_says(team: Team) -> None:
    check_the_first_event(team, VENDOR)


def test_a_page_sends_to_the_gateway_with_the_script_from_the_vendor(team: Team, stored: Kept, visit: Open) -> None:
    page = team.guide(VENDOR)
    team.site.script("/js/appizer-web.js", SCRIPT)
    team.site.script("/app.js", page.block("js", "A page").encode())
    assert visit(team.page(page.block("html", "A page"), page.policies()[0])).said == []
    assert page_sent(stored) == meant()


def test_a_copy_of_the_script_is_pinned_by_its_digest(team: Team, stored: Kept, visit: Open) -> None:
    page, own = team.guide(VENDOR), "Serving the script yourself"
    team.site.script("/js/appizer-web.js", SCRIPT)
    digest = team.typed(page.block("sh", own))
    team.site.script("/appizer-web.js", (team.folder / "public" / "appizer-web.js").read_bytes())
    team.site.script("/app.js", page.block("js", "A page").encode())
    html = page.block("html", own).replace("YOUR_DIGEST", digest)
    assert visit(team.page(html, page.policies()[1])).said == []
    assert page_sent(stored) == meant()


def test_a_server_in_node_sends_to_the_gateway(team: Team, stored: Kept) -> None:
    said = team.node(team.guide(VENDOR).block("js", "Node"))
    assert re.fullmatch(
        r"\{\n  success: true,\n  event_id: 'evt_[0-9a-f-]{36}',\n  message: 'Event tracked successfully'\n\}\n", said
    )
    assert stored.take(1) == [event(VENDOR, name="order_paid", user_id="user_123", properties={"amount": 29.99})]


def test_a_server_in_python_sends_to_the_gateway(team: Team, stored: Kept) -> None:
    program = team.guide(VENDOR).block("python", "Python")
    done = subprocess.run(
        [sys.executable, "-"],
        input=program,
        env=team.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert ast.literal_eval(done.stdout) == {
        "success": True,
        "processed_count": 1,
        "message": "Batch events tracked successfully",
    }
    assert stored.take(1) == [event(VENDOR, name="order_shipped", user_id="user_123", properties={"parcels": 2})]


def test_its_commands_show_what_came_in_and_take_it_along(team: Team) -> None:
    check_the_commands(team, VENDOR, BY_HAND)


def test_mistakes_are_answered_as_in_its_table(team: Team) -> None:
    sent, other = {"event_name": "seen", "user_id": "u-1"}, {"Origin": "https://other.example"}
    key = {"Authorization": f"Bearer {APPIZER_KEY}"}
    check_the_mistakes(
        team,
        VENDOR,
        {
            "401 INVALID_API_KEY": ("/v1/events", {**sent, "app_id": "unknown"}, other),
            "401 MISSING_AUTH": ("/v1/events", sent, {}),
            "403 DOMAIN_NOT_AUTHORIZED": ("/v1/events", {**sent, "app_id": APPIZER_APP}, other),
            "400 INVALID_TYPE": ("/v1/events", {**sent, "user_id": 42}, key),
            "404 NOT_FOUND": ("/v1/apps", sent, key),
        },
    )
