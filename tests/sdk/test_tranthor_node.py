"""`@dittofeed/sdk-node`, the code that Tranthor's SDK was renamed from, with only its `host` changed.

The registry has the old line only (0.1.2); what the newer one sends otherwise is in `test_tranthor_newer.py`.
"""

import base64
import hashlib
import json

import pytest

from tests.dialects.tranthor.sdk import TRANTHOR_KEY, TRANTHOR_TOKEN
from tests.kit.serving import Served
from tests.sdk.programs import Drive
from tests.sdk.stored import MADE_THERE, Kept, event

SDK, VERSION = "@dittofeed/sdk-node", "0.1.2"
DRIVER = "dittofeed_node.mjs"


def calling(host: str, *calls: object, key: str = TRANTHOR_KEY) -> dict[str, object]:
    return {"version": VERSION, "options": {"writeKey": key, "host": host}, "calls": calls}


def done(*calls: object) -> dict[str, list[object]]:
    return {"told": [None] * len(calls), "uncaught": []}


@pytest.mark.proves(SDK, VERSION, "init({{host}})")
def test_the_sdk_is_the_published_one(drive: Drive) -> None:
    assert drive("version.mjs", f"dittofeed-node-{VERSION}") == {"name": SDK, "version": VERSION}


@pytest.mark.proves(SDK, VERSION, "identify(), track(), page(), screen(), flush()")
def test_each_call_is_an_event_of_its_type(gateway: Served, stored: Kept, drive: Drive) -> None:
    calls = [
        ["identify", {"userId": "u-1", "traits": {"email": "a@example.com"}}],
        ["track", {"userId": "u-1", "event": "Paid", "properties": {"total": 12.5}, "messageId": "paid-1"}],
        ["page", {"anonymousId": "a-1", "name": "Home", "timestamp": "2026-01-01T12:00:00.000Z"}],
        ["screen", {"userId": "u-1", "name": "Recipe", "context": {"locale": "de-DE", "ip": "203.0.113.9"}}],
        ["flush"],
    ]
    assert drive(DRIVER, calling(gateway.url, *calls)) == done(*calls)
    assert stored.take(4) == [
        event("tranthor", "identify", message_id=MADE_THERE, user_id="u-1", traits={"email": "a@example.com"}),
        event("tranthor", name="Paid", message_id="paid-1", user_id="u-1", properties={"total": 12.5}),
        event(
            "tranthor",
            "page",
            name="Home",
            message_id=MADE_THERE,
            timestamp="2026-01-01T12:00:00.000Z",
            anonymous_id="a-1",
        ),
        event(
            "tranthor",
            "screen",
            name="Recipe",
            message_id=MADE_THERE,
            user_id="u-1",
            context={"locale": "de-DE", "ip": "203.0.113.9"},
        ),
    ]


@pytest.mark.proves(SDK, VERSION, "12 calls, sent by the SDK as 5, 5 and 2")
def test_what_the_sdk_sends_by_itself_is_stored_whole(gateway: Served, stored: Kept, drive: Drive) -> None:
    calls = [["track", {"userId": "u-1", "event": f"e{number:02}"}] for number in range(12)]
    assert drive(DRIVER, calling(gateway.url, *calls)) == done(*calls)
    events = sorted(stored.take(12), key=lambda each: str(each["name"]))  # three requests at once
    assert events == [
        event("tranthor", name=f"e{number:02}", message_id=MADE_THERE, user_id="u-1") for number in range(12)
    ]
    assert len(set(stored.ids)) == 12


@pytest.mark.parametrize("ending", ["/", "/tranthor", "/tranthor/"])
@pytest.mark.proves(SDK, VERSION, "host ending in {ending}")
def test_a_host_with_a_slash_or_the_mount_works(gateway: Served, stored: Kept, drive: Drive, ending: str) -> None:
    calls = [["track", {"userId": "u-1", "event": "here"}], ["flush"]]
    assert drive(DRIVER, calling(gateway.url + ending, *calls)) == done(*calls)
    assert stored.take(1) == [event("tranthor", name="here", message_id=MADE_THERE, user_id="u-1")]


@pytest.mark.parametrize("scheme", ["Bearer ", "basic ", ""])
@pytest.mark.proves(SDK, VERSION, "writeKey with the scheme word '{scheme}'")
def test_a_key_opens_under_any_scheme_word(gateway: Served, stored: Kept, drive: Drive, scheme: str) -> None:
    calls = [["track", {"userId": "u-1", "event": "here"}], ["flush"]]
    assert drive(DRIVER, calling(gateway.url, *calls, key=scheme + TRANTHOR_TOKEN)) == done(*calls)
    assert stored.take(1) == [event("tranthor", name="here", message_id=MADE_THERE, user_id="u-1")]


@pytest.mark.proves(SDK, VERSION, "a wrong writeKey")
def test_a_wrong_key_is_reported_as_401(gateway: Served, stored: Kept, drive: Drive) -> None:
    calls = [["track", {"userId": "u-1", "event": "lost"}], ["flush"]]
    told = drive(DRIVER, calling(gateway.url, *calls, key="Basic d3Jvbmc="))
    assert told == {"told": [None, "HTTP error! status: 401"], "uncaught": []}
    assert stored.take(0) == []


@pytest.mark.proves(SDK, VERSION, "an explicit messageId, twice")
def test_a_message_sent_again_is_stored_once(gateway: Served, stored: Kept, drive: Drive) -> None:
    track = ["track", {"userId": "u-1", "event": "Paid", "messageId": "twice"}]
    calls = [track, track, ["flush"], track, ["flush"]]
    assert drive(DRIVER, calling(gateway.url, *calls)) == done(*calls)
    assert stored.take(1) == [event("tranthor", name="Paid", message_id="twice", user_id="u-1")]


@pytest.mark.proves(SDK, VERSION, "track() with files")
def test_a_file_is_kept_beside_its_event(gateway: Served, stored: Kept, drive: Drive) -> None:
    data = base64.b64encode(b"%PDF-1.7").decode()
    file = {"type": "Base64Encoded", "name": "../../bill.pdf", "mimeType": "application/pdf", "data": data}
    calls = [["track", {"userId": "u-1", "event": "Billed", "messageId": "bill-1", "files": [file]}], ["flush"]]
    assert drive(DRIVER, calling(gateway.url, *calls)) == done(*calls)
    digest = hashlib.sha256(b"%PDF-1.7").hexdigest()
    kept = {"name": "../../bill.pdf", "mime_type": "application/pdf", "size": 8, "sha256": digest}
    assert stored.take(1) == [
        event("tranthor", name="Billed", message_id="bill-1", user_id="u-1", context={"tranthor": {"files": [kept]}})
    ]
    assert [file.read_bytes() for file in gateway.data.rglob(f"*{digest[2:]}")] == [b"%PDF-1.7"]


@pytest.mark.proves(SDK, VERSION, "an item without an id, and one whose messageId is undefined")
def test_items_that_upstream_refuses_spoil_nothing_and_are_quarantined(
    gateway: Served, stored: Kept, drive: Drive
) -> None:
    calls = [
        ["track", {"event": "nobody's", "messageId": "nobody"}],
        ["track", {"userId": "u-1", "event": "good", "messageId": "good"}],
        ["flush"],
    ]
    assert drive(DRIVER, calling(gateway.url, *calls)) == done(*calls)
    assert stored.take(1) == [event("tranthor", name="good", message_id="good", user_id="u-1")]
    listed = [json.loads(line) for line in gateway.cli("quarantine", "list", "--format", "jsonl").splitlines()]
    assert [each["message_id"] for each in listed] == ["nobody"]
