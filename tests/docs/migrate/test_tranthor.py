"""docs/migrate/tranthor.md, done by a team. Tranthor's SDK is on no registry: Dittofeed's stands in under its name."""

from tests.dialects.tranthor.sdk import TRANTHOR_KEY
from tests.docs.migrate.steps import check_the_commands, check_the_first_event, check_the_mistakes
from tests.docs.migrate.team import Team
from tests.sdk.programs import Open
from tests.sdk.stored import CHROMIUM, MADE_THERE, Kept, event

VENDOR = "tranthor"
BY_HAND = event(VENDOR, "identify", message_id="by-hand-1", user_id="user_123", traits={"email": "ann@example.com"})


def test_a_first_event_by_hand_is_answered_as_the_page_says(team: Team) -> None:
    check_the_first_event(team, VENDOR)


def test_a_server_sends_to_the_gateway(team: Team, stored: Kept) -> None:
    assert team.node(team.guide(VENDOR).block("js", "Node")) == ""
    assert stored.take(1) == [
        event(VENDOR, name="Order Paid", message_id=MADE_THERE, user_id="user_123", properties={"total": 12.5})
    ]


def test_a_page_sends_to_the_gateway_by_a_script_that_is_pinned_by_its_digest(
    team: Team, stored: Kept, visit: Open
) -> None:
    page, own = team.guide(VENDOR), "Serving the script yourself"
    (team.folder / "analytics.js").write_text(page.block("js", "Pages and React"), "utf-8")
    digest = team.typed(page.block("sh", own))
    team.site.script("/analytics.js", (team.folder / "public" / "analytics.js").read_bytes())
    [policy] = page.policies()
    assert visit(team.page(page.block("html", own).replace("YOUR_DIGEST", digest), policy)).said == []
    assert stored.take(1) == [
        event(
            VENDOR,
            "page",
            name="Pricing",
            message_id=MADE_THERE,
            anonymous_id="visitor_1",
            properties={"path": "/pricing"},
            context={"ip": "127.0.0.1", "user_agent": CHROMIUM, "page": {"path": "/pricing"}},
        )
    ]


def test_its_commands_show_what_came_in_and_take_it_along(team: Team) -> None:
    check_the_commands(team, VENDOR, BY_HAND)


def test_mistakes_are_answered_as_in_its_table(team: Team) -> None:
    track, sent = "/api/public/apps/track", {"messageId": "m-1", "userId": "u-1", "event": "Seen"}
    unknown, key = {"Authorization": "Basic unknown"}, {"Authorization": TRANTHOR_KEY}
    check_the_mistakes(
        team,
        VENDOR,
        {
            "401 InvalidWriteKey": ("/api/public/apps/batch", {"batch": [{**sent, "type": "track"}]}, unknown),
            "401 Invalid write key.": (track, sent, unknown),
            "400 must have required property 'messageId'": (track, {"userId": "u-1", "event": "Seen"}, key),
        },
    )
