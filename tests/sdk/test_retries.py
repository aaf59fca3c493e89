"""Failures on the way, and the SDKs' own retries: what was stored already is stored once, what was not is not lost."""

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from tests.dialects.appizer.sdk import APPIZER_KEY
from tests.dialects.browsee.sdk import BROWSEE_KEY
from tests.dialects.databuddy.sdk import DATABUDDY_KEY, DATABUDDY_SITE
from tests.dialects.tranthor.sdk import TRANTHOR_KEY
from tests.kit.serving import Served, serving
from tests.sdk import programs
from tests.sdk.flaky import Fate, Flaky, failing
from tests.sdk.programs import Drive, Open
from tests.sdk.site import Site
from tests.sdk.stored import CHROMIUM, JUST_BEFORE, MADE_FROM_KEY, Kept, event
from tests.sdk.tracker import calls

FATES = pytest.mark.parametrize("fate", Fate, ids=lambda fate: fate.name.lower())
OF_THE_SITE = {"library": {"name": "node"}, "app": {"id": DATABUDDY_SITE}}


@pytest.fixture
def flaky(gateway: Served) -> Iterator[Flaky]:
    with failing(gateway.url) as proxy:
        yield proxy


@FATES
@pytest.mark.proves("Browsee's _browsee (through the shim)", "web-sdk 1.0.0 (its calls)", "retry after: {fate.value}")
def test_the_shims_retry_is_stored_once(
    flaky: Flaky, gateway: Served, stored: Kept, visit: Open, shop: Site, fate: Fate
) -> None:
    attributes = f"data-api-key={BROWSEE_KEY} data-api-url={flaky.url}"
    script = f"<script src={gateway.url}/-/shim/browsee.js {attributes}></script>"
    page = shop.page("/retry.html", f"{script}<script src=/browsee.js></script>")
    flaky.fail(fate, fate)  # Chromium itself tries a dropped connection once more
    told = visit(page, ("words", [["logEvent", "FIRST"], ["logEvent", "SECOND"]])).told
    seen = {"url": page, "path": "/retry.html", "title": "Shop"}
    around = {"ip": "127.0.0.1", "user_agent": CHROMIUM, "page": seen}
    assert stored.take(2) == [
        event(
            "browsee",
            name=name,
            message_id=MADE_FROM_KEY,
            timestamp=JUST_BEFORE,
            anonymous_id=told[0],
            context=around,
        )
        for name in ("FIRST", "SECOND")
    ]
    assert flaky.tries == 4


@FATES
@pytest.mark.proves("Tranthor's newer SDKs (their requests)", "sdk-node 0.4.0", "retry after: {fate.value}")
def test_the_newer_lines_retry_is_stored_once(flaky: Flaky, stored: Kept, drive: Drive, fate: Fate) -> None:
    flaky.fail(fate, fate)
    items = [
        {"type": "track", "messageId": f"{fate.name}-{number}", "userId": "u-1", "event": "Paid"} for number in range(5)
    ]
    given = {"host": flaky.url, "writeKey": TRANTHOR_KEY, "batch": items}
    assert drive("tranthor_newer.mjs", given) == {"tries": 3, "status": 204}
    assert stored.take(5) == [
        event("tranthor", name="Paid", message_id=f"{fate.name}-{number}", user_id="u-1") for number in range(5)
    ]


@FATES
@pytest.mark.proves("@dittofeed/sdk-node", "0.1.2", "the caller's own retry after: {fate.value}")
def test_a_callers_retry_under_the_same_message_id_is_stored_once(
    flaky: Flaky, stored: Kept, drive: Drive, fate: Fate
) -> None:
    flaky.fail(fate)
    track = ["track", {"userId": "u-1", "event": "Paid", "messageId": f"own-{fate.name}"}]
    given = {"version": "0.1.2", "options": {"writeKey": TRANTHOR_KEY, "host": flaky.url}}
    told = drive("dittofeed_node.mjs", {**given, "calls": [track, ["flush"], track, ["flush"]]})
    first, *rest = told["told"][1:]
    if fate is Fate.UNAVAILABLE:
        assert first == "HTTP error! status: 503"
    else:
        assert "socket hang up" in first
    assert (rest, told["uncaught"]) == ([None, None], [])
    assert stored.take(1) == [event("tranthor", name="Paid", message_id=f"own-{fate.name}", user_id="u-1")]


@FATES
@pytest.mark.parametrize("version", ["2.3.21", "2.2.1"])
@pytest.mark.proves("@databuddy/sdk/node", "{version}", "the caller's own retry after: {fate.value}")
def test_a_callers_retry_under_the_same_event_id_is_stored_once(
    flaky: Flaky, stored: Kept, drive: Drive, version: str, fate: Fate
) -> None:
    flaky.fail(fate)
    batch = ["batch", [{"type": "custom", "name": "paid", "eventId": f"{fate.name}-{version}"}]]
    given = {"version": version, "options": {"clientId": DATABUDDY_SITE, "apiUrl": flaky.url}}
    told = drive("databuddy_node.mjs", {**given, "calls": [batch, ["clearDeduplicationCache"], batch]})
    error = "HTTP 503: Service Unavailable" if fate is Fate.UNAVAILABLE else "fetch failed"
    result = {"status": "success", "type": "custom", "eventId": f"{fate.name}-{version}"}
    assert told == [{"success": False, "error": error}, None, {"success": True, "processed": 1, "results": [result]}]
    expected = event("databuddy", name="paid", message_id=f"{fate.name}-{version}", context=OF_THE_SITE)
    assert stored.take(1) == [expected]


@pytest.mark.parametrize("version", ["2.6.0", "2.3.29"])
@pytest.mark.proves("@databuddy/sdk/node", "{version}", "flush() into a 503 (this SDK never retries)")
def test_a_failed_flush_is_reported_as_failed(flaky: Flaky, stored: Kept, drive: Drive, version: str) -> None:
    flaky.fail(Fate.UNAVAILABLE)
    given = {"version": version, "options": {"apiKey": DATABUDDY_KEY, "apiUrl": flaky.url}}
    told = drive("databuddy_node.mjs", {**given, "calls": [["track", {"name": "lost"}], ["flush"]]})
    assert told == [{"success": True}, {"success": False, "error": "HTTP 503: Service Unavailable"}]
    assert stored.take(0) == []


@FATES
@pytest.mark.parametrize("call", ["custom", "screen_view", "engagement"])
@pytest.mark.proves(
    "Databuddy browser tracker (its requests)", "2025 to 2026", "{call} tried again after: {fate.value}"
)
def test_the_trackers_retry_is_stored_once(
    flaky: Flaky, stored: Kept, visit: Open, shop: Site, call: str, fate: Fate
) -> None:
    page = shop.page("/tracker-retry.html", "<script src=/databuddy.js></script>")
    one = calls(fate.name)[call]
    flaky.fail(fate)
    given = {"url": flaky.url + one.path, "site": DATABUDDY_SITE, "body": one.body}
    assert visit(page, ("persistently", given)).told == [{"status": 200, "body": one.answer}]
    assert stored.take(len(one.stored)) == one.stored_by("fetch")


@FATES
@pytest.mark.proves("Appizer HTTP API", "requests", "urllib3's Retry with an Idempotency-Key after: {fate.value}")
def test_a_retrying_session_is_stored_once(flaky: Flaky, stored: Kept, fate: Fate) -> None:
    flaky.fail(fate, fate)
    retry = Retry(total=3, backoff_factor=0.05, status_forcelist=[503], allowed_methods=None)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        headers = {"Authorization": f"Bearer {APPIZER_KEY}", "Idempotency-Key": f"session-{fate.name}"}
        answer = session.post(
            f"{flaky.url}/v1/events", json={"event_name": "paid", "user_id": "u-1"}, headers=headers, timeout=10
        )
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert stored.take(1) == [event("appizer", name="paid", message_id=MADE_FROM_KEY, user_id="u-1")]


@FATES
@pytest.mark.proves("Browsee HTTP API", "curl", "--retry with an Idempotency-Key after: {fate.value}")
def test_curl_retries_and_is_stored_once(flaky: Flaky, stored: Kept, fate: Fate) -> None:
    flaky.fail(fate)
    body = f'{{"apiKey": "{BROWSEE_KEY}", "event": "PAID", "userId": "u-1"}}'
    retry = ["--retry", "3", "--retry-all-errors", "--retry-delay", "1", "-H", f"Idempotency-Key: curl-{fate.name}"]
    command = [programs.found("curl"), "-sS", *retry, "-d", body, f"{flaky.url}/api/v1/track"]
    done = subprocess.run(command, capture_output=True, timeout=programs.PATIENCE, check=True)
    assert done.stdout == b'{"status":"success"}'
    assert stored.take(1) == [event("browsee", name="PAID", message_id=MADE_FROM_KEY, user_id="u-1")]


@pytest.mark.proves(
    "Tranthor's newer SDKs (their requests)", "sdk-node 0.4.0", "retries while the gateway is restarted"
)
def test_a_client_that_tries_while_the_gateway_restarts_loses_nothing(keys: Path, tmp_path: Path, drive: Drive) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "keys.db").write_bytes((keys / "keys.db").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    items = [{"type": "track", "messageId": f"up-{number}", "userId": "u-1", "event": "Paid"} for number in range(5)]
    given = {"host": f"http://127.0.0.1:{port}", "writeKey": TRANTHOR_KEY, "batch": items}
    told: list[dict[str, int]] = []
    client = threading.Thread(target=lambda: told.append(drive("tranthor_newer.mjs", given)))
    client.start()
    with serving(data, "--port", port) as served:
        client.join(programs.PATIENCE)
        assert told[0]["status"] == 204
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    with serving(data, "--port", port):
        assert drive("tranthor_newer.mjs", given) == {"tries": 1, "status": 204}
        assert Kept(data / "events.db").take(5) == [
            event("tranthor", name="Paid", message_id=f"up-{number}", user_id="u-1") for number in range(5)
        ]
