"""`@databuddy/sdk/node` with only its `apiUrl` changed."""

import pytest

from tests.dialects.databuddy.sdk import DATABUDDY_KEY, DATABUDDY_SITE
from tests.kit.serving import Served
from tests.sdk.programs import Drive
from tests.sdk.stored import JUST_BEFORE, MADE_HERE, Kept, event

SDK = "@databuddy/sdk/node"
DRIVER = "databuddy_node.mjs"
EVERY = pytest.mark.parametrize("version", ["2.6.0", "2.3.29", "2.3.21", "2.2.1"])
KEYED = pytest.mark.parametrize("version", ["2.6.0", "2.3.29"])
BY_CLIENT_ID = pytest.mark.parametrize("version", ["2.3.21", "2.2.1"])
AROUND = {"library": {"name": "node"}}
OF_THE_SITE = {**AROUND, "app": {"id": DATABUDDY_SITE}}


def calling(version: str, url: str, *calls: object, **options: object) -> dict[str, object]:
    """Return a driver's instructions: the newer lines have a key, the older ones the site's id only."""
    who = {"apiKey": DATABUDDY_KEY} if version in ("2.6.0", "2.3.29") else {"clientId": DATABUDDY_SITE}
    return {"version": version, "options": {**who, "apiUrl": url, **options}, "calls": calls}


@EVERY
@pytest.mark.proves(SDK, "{version}", "new Databuddy({{apiUrl}})")
def test_the_sdk_is_the_published_one(drive: Drive, version: str) -> None:
    assert drive("version.mjs", f"databuddy-{version}") == {"name": "@databuddy/sdk", "version": version}


@KEYED
@pytest.mark.proves(SDK, "{version}", "track(), unbatched")
def test_a_single_event_is_stored_as_it_was_tracked(gateway: Served, stored: Kept, drive: Drive, version: str) -> None:
    tracked = {"name": "order_paid", "properties": {"total": 12.5, "items": ["a", "b"]}, "sessionId": "s-1"}
    calls = calling(version, gateway.url, ["track", tracked], enableBatching=False, websiteId=DATABUDDY_SITE)
    assert drive(DRIVER, calls) == [{"success": True}]
    assert stored.take(1) == [
        event(
            "databuddy",
            name="order_paid",
            timestamp=JUST_BEFORE,
            session_id="s-1",
            properties={"total": 12.5, "items": ["a", "b"]},
            context=OF_THE_SITE,
        )
    ]


@KEYED
@pytest.mark.proves(SDK, "{version}", "track() and flush()")
def test_a_flush_stores_every_event_of_the_queue(gateway: Served, stored: Kept, drive: Drive, version: str) -> None:
    calls = calling(
        version,
        gateway.url,
        ["setGlobalProperties", {"env": "prod"}],
        ["track", {"name": "first", "namespace": "billing", "source": "api"}],
        ["track", {"name": "second", "anonymousId": "anon_1", "properties": {"n": 1}}],
        ["track", {"name": "third", "timestamp": 1767225600000}],
        ["flush"],
        ["flush"],
    )
    queued, nothing = {"success": True}, {"success": True, "processed": 0, "results": []}
    assert drive(DRIVER, calls) == [None, queued, queued, queued, {"success": True, "processed": 3}, nothing]
    labelled = {**AROUND, "databuddy": {"namespace": "billing", "source": "api"}}
    assert stored.take(3) == [
        event("databuddy", name="first", timestamp=JUST_BEFORE, properties={"env": "prod"}, context=labelled),
        event(
            "databuddy",
            name="second",
            timestamp=JUST_BEFORE,
            anonymous_id="anon_1",
            properties={"env": "prod", "n": 1},
            context=AROUND,
        ),
        event(
            "databuddy",
            name="third",
            timestamp="2026-01-01T00:00:00.000Z",
            properties={"env": "prod"},
            context=AROUND,
        ),
    ]


@KEYED
@pytest.mark.proves(SDK, "{version}", "batch() of 100")
def test_a_full_batch_is_stored_whole_and_in_order(gateway: Served, stored: Kept, drive: Drive, version: str) -> None:
    events = [{"name": f"e{number}"} for number in range(100)]
    calls = calling(version, gateway.url, ["batch", events], websiteId=DATABUDDY_SITE)
    assert drive(DRIVER, calls) == [{"success": True, "processed": 100}]
    assert stored.take(100) == [
        event("databuddy", name=f"e{number}", timestamp=JUST_BEFORE, context=OF_THE_SITE) for number in range(100)
    ]


@KEYED
@pytest.mark.proves(SDK, "{version}", "track() with an ISO timestamp, which the SDK turns into null")
def test_a_time_that_the_sdk_spoils_is_the_time_of_receipt(
    gateway: Served, stored: Kept, drive: Drive, version: str
) -> None:
    tracked = {"name": "spoilt", "timestamp": "2026-01-01T00:00:00Z"}
    calls = calling(version, gateway.url, ["track", tracked], enableBatching=False)
    assert drive(DRIVER, calls) == [{"success": True}]
    assert stored.take(1) == [event("databuddy", name="spoilt", context=AROUND)]


@KEYED
@pytest.mark.proves(SDK, "{version}", "a wrong apiKey")
def test_a_wrong_key_is_reported_as_401(gateway: Served, stored: Kept, drive: Drive, version: str) -> None:
    calls = calling(version, gateway.url, ["track", {"name": "a"}], ["flush"], apiKey="dbdy_wrong")
    failed = {"success": False, "error": "HTTP 401: Unauthorized"}
    assert drive(DRIVER, calls) == [{"success": True}, failed]
    assert stored.take(0) == []


@KEYED
@pytest.mark.proves(SDK, "{version}", "an unknown websiteId")
def test_an_unknown_site_is_reported_as_404(gateway: Served, stored: Kept, drive: Drive, version: str) -> None:
    calls = calling(version, gateway.url, ["batch", [{"name": "a"}]], websiteId="nobodys")
    assert drive(DRIVER, calls) == [{"success": False, "error": "HTTP 404: Not Found"}]
    assert stored.take(0) == []


@pytest.mark.proves(SDK, "2.6.0", "track() of a known person, identify()")
def test_a_person_is_identified_with_traits(gateway: Served, stored: Kept, drive: Drive) -> None:
    who = {"profileId": "p-1", "anonymousId": "anon_1", "traits": {"email": "a@example.com", "plan": None}}
    calls = calling(
        "2.6.0",
        gateway.url,
        ["batch", [{"name": "signed_in", "profileId": "p-1", "eventId": "mine"}]],
        ["identify", who],
        ["identify", {"profileId": "p-1", "websiteId": "nobodys"}],
        websiteId=DATABUDDY_SITE,
        anonymizeVisitorIds="auto",
    )
    told = drive(DRIVER, calls)
    assert told == [
        {"success": True, "processed": 1},
        {"success": True},
        {"success": False, "error": "HTTP 404: Not Found"},
    ]
    assert stored.take(2) == [
        event(
            "databuddy",
            name="signed_in",
            message_id=MADE_HERE,  # the SDK keeps an eventId to itself
            timestamp=JUST_BEFORE,
            user_id="p-1",
            context={**OF_THE_SITE, "databuddy": {"anonymize_visitor_ids": "auto"}},
        ),
        event(
            "databuddy",
            "identify",
            anonymous_id="anon_1",
            user_id="p-1",
            traits={"email": "a@example.com", "plan": None},
            context=OF_THE_SITE,
        ),
    ]


@BY_CLIENT_ID
@pytest.mark.proves(SDK, "{version}", "track(), unbatched")
def test_an_old_single_event_is_stored_under_its_own_id(
    gateway: Served, stored: Kept, drive: Drive, version: str
) -> None:
    tracked = {
        "name": "order_paid",
        "eventId": f"order-{version}",
        "anonymousId": "anon_1",
        "sessionId": "s-1",
        "timestamp": 1767225600000,
        "properties": {"total": 12.5},
    }
    calls = calling(version, gateway.url, ["track", tracked], ["track", {"name": "plain"}], enableBatching=False)
    assert drive(DRIVER, calls) == [{"success": True, "eventId": f"order-{version}"}, {"success": True}]
    assert stored.take(2) == [
        event(
            "databuddy",
            name="order_paid",
            message_id=f"order-{version}",
            timestamp="2026-01-01T00:00:00.000Z",
            anonymous_id="anon_1",
            session_id="s-1",
            properties={"total": 12.5},
            context=OF_THE_SITE,
        ),
        event("databuddy", name="plain", context=OF_THE_SITE),
    ]


@BY_CLIENT_ID
@pytest.mark.proves(SDK, "{version}", "track() and flush(), batch()")
def test_an_old_flush_gets_a_result_for_each_event(gateway: Served, stored: Kept, drive: Drive, version: str) -> None:
    calls = calling(
        version,
        gateway.url,
        ["setGlobalProperties", {"env": "prod"}],
        ["track", {"name": "first"}],
        ["track", {"name": "second", "properties": {"env": "test"}}],
        ["flush"],
        ["batch", [{"type": "custom", "name": "third", "eventId": f"third-{version}"}]],
    )
    told = drive(DRIVER, calls)
    assert told[3:] == [
        {"success": True, "processed": 2, "results": [{"status": "success", "type": "custom"}] * 2},
        {
            "success": True,
            "processed": 1,
            "results": [{"status": "success", "type": "custom", "eventId": f"third-{version}"}],
        },
    ]
    assert stored.take(3) == [
        event("databuddy", name="first", properties={"env": "prod"}, context=OF_THE_SITE),
        event("databuddy", name="second", properties={"env": "test"}, context=OF_THE_SITE),
        event(
            "databuddy",
            name="third",
            message_id=f"third-{version}",
            properties={"env": "prod"},
            context=OF_THE_SITE,
        ),
    ]


@BY_CLIENT_ID
@pytest.mark.proves(SDK, "{version}", "an eventId sent twice")
def test_an_event_sent_again_under_its_id_is_stored_once(
    gateway: Served, stored: Kept, drive: Drive, version: str
) -> None:
    again = [{"type": "custom", "name": "again", "eventId": f"again-{version}"}]
    calls = calling(version, gateway.url, ["batch", again], ["clearDeduplicationCache"], ["batch", again])
    told = drive(DRIVER, calls)
    assert (
        told[0]
        == told[2]
        == {
            "success": True,
            "processed": 1,
            "results": [{"status": "success", "type": "custom", "eventId": f"again-{version}"}],
        }
    )
    assert stored.take(1) == [event("databuddy", name="again", message_id=f"again-{version}", context=OF_THE_SITE)]


@BY_CLIENT_ID
@pytest.mark.proves(SDK, "{version}", "an unknown clientId")
def test_an_unknown_client_id_is_reported_as_400(gateway: Served, stored: Kept, drive: Drive, version: str) -> None:
    calls = calling(version, gateway.url, ["batch", [{"name": "a"}]], clientId="nobodys")
    assert drive(DRIVER, calls) == [{"success": False, "error": "HTTP 400: Bad Request"}]
    assert stored.take(0) == []


@EVERY
@pytest.mark.parametrize("ending", ["/", "/databuddy", "/databuddy/"])
@pytest.mark.proves(SDK, "{version}", "apiUrl ending in {ending}")
def test_an_address_with_a_slash_or_the_mount_works(
    gateway: Served, stored: Kept, drive: Drive, version: str, ending: str
) -> None:
    calls = calling(version, gateway.url + ending, ["track", {"name": "here"}], enableBatching=False)
    assert drive(DRIVER, calls) == [{"success": True}]
    times = JUST_BEFORE if version in ("2.6.0", "2.3.29") else "<when it arrived>"
    around = AROUND if version in ("2.6.0", "2.3.29") else OF_THE_SITE
    assert stored.take(1) == [event("databuddy", name="here", timestamp=times, context=around)]
