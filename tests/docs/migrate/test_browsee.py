"""docs/migrate/browsee.md, done by a team whose pages load the gateway's script in the place of the vendor's."""

from typing import Any

from tests.dialects.browsee.sdk import BROWSEE_KEY
from tests.docs.migrate.steps import check_the_commands, check_the_first_event, check_the_mistakes
from tests.docs.migrate.team import Team
from tests.sdk.programs import Open
from tests.sdk.site import PAGES
from tests.sdk.stored import CHROMIUM, JUST_BEFORE, MADE_FROM_KEY, Kept, event

VENDOR = "browsee"
BY_HAND = event(VENDOR, name="MIGRATION_STARTED", anonymous_id="hand", properties={"step": 1})
KNOWN = {"message_id": MADE_FROM_KEY, "timestamp": JUST_BEFORE, "user_id": "user_123"}


def page_sent(stored: Kept) -> list[dict[str, Any]]:
    """Return the two events of the page, without the visitor's random id, which is the same in both."""
    events = stored.take(2)
    assert len({each.pop("anonymous_id") for each in events}) == 1
    return events


def meant(address: str) -> list[dict[str, Any]]:
    page = {"url": address, "path": "/shop.html", "title": "Shop"}
    around: dict[str, Any] = {"context": {"ip": "127.0.0.1", "user_agent": CHROMIUM, "page": page}, **KNOWN}
    price = {"price": 100, "category": "Apparel"}
    events = (
        event(VENDOR, "identify", traits={"name": "Ann", "plan": "pro"}, **around),
        event(VENDOR, name="CLICKED_CHECKOUT", properties=price, **around),
    )
    return [{key: value for key, value in each.items() if key != "anonymous_id"} for each in events]


def test_a_first_event_by_hand_is_answered_as_the_page_says(team: Team) -> None:
    check_the_first_event(team, VENDOR)


def test_the_snippet_sends_to_the_gateway_by_the_gateways_script(team: Team, stored: Kept, visit: Open) -> None:
    page = team.guide(VENDOR)
    team.site.script("/app.js", page.block("js", "The snippet").encode())
    address = team.page(page.block("html", "The snippet"), page.policies()[0])
    assert visit(address).said == []
    assert page_sent(stored) == meant(address)


def test_the_package_finds_the_gateways_script_and_loads_nothing_from_the_vendor(
    team: Team, stored: Kept, visit: Open
) -> None:
    page = team.guide(VENDOR)
    team.site.script("/app.js", (PAGES / "browsee.js").read_bytes())  # the published loader, which npm does not have
    address = team.page(page.block("html", "The package"), page.policies()[0])
    identify = ["identify", "user_123", {"name": "Ann", "plan": "pro"}]
    log = ["logEvent", "CLICKED_CHECKOUT", {"price": 100, "category": "Apparel"}]
    seen = visit(address, ("loader", {"apiKey": BROWSEE_KEY, "calls": [identify, log]}))
    assert (seen.told, [line for line in seen.said if "error" in line]) == ([False], [])
    assert page_sent(stored) == meant(address)


def test_a_copy_of_the_gateways_script_is_pinned_by_its_digest(team: Team, stored: Kept, visit: Open) -> None:
    page, own = team.guide(VENDOR), "Serving the script yourself"
    digest = team.typed(page.block("sh", own))
    team.site.script("/browsee.js", (team.folder / "public" / "browsee.js").read_bytes())
    team.site.script("/app.js", page.block("js", "The snippet").encode())
    address = team.page(page.block("html", own).replace("YOUR_DIGEST", digest), page.policies()[1])
    assert visit(address).said == []
    assert page_sent(stored) == meant(address)


def test_a_server_sends_to_the_gateway(team: Team, stored: Kept) -> None:
    assert team.node(team.guide(VENDOR).block("js", "Node")) == "{ status: 'success' }\n"
    assert stored.take(1) == [
        event(
            VENDOR,
            name="ORDER_PAID",
            timestamp="2026-01-02T03:04:05.678Z",
            user_id="user_123",
            properties={"price": 100},
        )
    ]


def test_its_commands_show_what_came_in_and_take_it_along(team: Team) -> None:
    check_the_commands(team, VENDOR, BY_HAND)


def test_mistakes_are_answered_as_in_its_table(team: Team) -> None:
    path, sent = "/api/v1/track", {"apiKey": BROWSEE_KEY, "event": "SEEN", "userId": "u-1"}
    check_the_mistakes(
        team,
        VENDOR,
        {
            "400 apiKey is not known here": (path, {**sent, "apiKey": "unknown"}, {}),
            "400 apiKey may not be used from this origin": (path, sent, {"Origin": "https://other.example"}),
            "400 userId is of type number": (path, {**sent, "userId": 42}, {}),
            "400 timestamp is not an ISO 8601 string": (path, {**sent, "timestamp": "yesterday"}, {}),
        },
    )
