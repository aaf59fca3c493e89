"""How the directories here were made: a gateway of an older version took in some of everything, and stopped.

    git clone . /tmp/base && git -C /tmp/base checkout 014cd87
    python3 -m venv /tmp/base/.venv && /tmp/base/.venv/bin/pip install '/tmp/base[bots]'
    python3 tests/upgrade/make_fixture.py /tmp/base/.venv/bin/gateway tests/upgrade/data-014cd87

`data-014cd87` is of version 0.1.0; `data-7ff5186` of 0.2.0 before it could erase, with
`compress` on.

The directory is as that version left it. The JSON file beside it has the requests and their answers, and all that the
version's own commands say of the directory. They were asked on a copy, for a reader leaves files beside the databases.
Only what that version knew is used here, and only the standard library.
"""

import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).parent / "gateway.toml"
PATIENCE = 30
TAKEN_UP = 2.5  # seconds in which a running server takes up what `gateway keys` changed
HUNDRED_YEARS = 3_153_600_000  # seconds
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"

# Name: project, dialect, kind, value, origins.
KEYS = {
    "databuddy": ("shop", "databuddy", "api_key", "dbdy_014cd870000000000000000000000000000000000000shop", ()),
    "site": ("shop", "databuddy", "website", "014cd870-0000-4000-8000-00000000shop", ()),
    "blog site": ("blog", "databuddy", "website", "014cd870-0000-4000-8000-00000000blog", ("blog.example",)),
    "appizer": ("shop", "appizer", "api_key", "ak_014cd8700000000000000000000000shop", ()),
    "app": ("shop", "appizer", "app", "app_014cd87_shop", ("shop.example",)),
    "tranthor": ("shop", "tranthor", "write_key", "trn_014cd870000000000000000000000000000000000000shop", ()),
    "blog tranthor": ("blog", "tranthor", "write_key", "trn_014cd870000000000000000000000000000000000000blog", ()),
    "revoked": ("shop", "tranthor", "write_key", "trn_014cd870000000000000000000000000000000000revoked", ()),
    "rotated": ("shop", "appizer", "api_key", "ak_014cd8700000000000000000000rotated", ()),
    "browsee": ("blog", "browsee", "api_key", "014cd8700000000000000000000000000000browsee", ("blog.example",)),
}
VALUE = {name: value for name, (*_, value, _) in KEYS.items()}


def post(name: str, path: str, body: object, **headers: str) -> dict[str, Any]:
    """Return a request. A body that is not a text yet becomes JSON; underscores in headers stand for hyphens."""
    text = body if isinstance(body, str) else json.dumps(body)
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return {"name": name, "method": "POST", "path": path, "headers": named, "body": text}


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {VALUE[name]}"}


def basic(name: str) -> dict[str, str]:
    return {"Authorization": f"Basic {VALUE[name]}"}


def track(message_id: str, **more: object) -> dict[str, object]:
    """Return a track item of a Tranthor batch; without more it is nobody's, and so no event can be made of it."""
    return {"type": "track", "messageId": message_id, "event": "Order Placed", **more}


def file(name: str, data: str) -> dict[str, object]:
    return {"type": "Base64Encoded", "name": name, "mimeType": "application/octet-stream", "data": data}


SITE, BLOG_SITE, TRANTHOR = VALUE["site"], VALUE["blog site"], "/api/public/apps"
BLOG: dict[str, str] = {"Origin": "https://www.blog.example"}
DATABUDDY_EVENTS = [
    {"name": "signup", "eventId": "e-2", "properties": {"plan": "pro", "seats": 3}, "anonymousId": "anon-1"},
    {"name": "screen_view", "eventId": "e-3", "path": "https://shop.example/cart?utm_source=mail", "title": "Cart"},
]
MIXED = [
    {"type": "track", "payload": {"eventId": "e-4", "name": "opened"}},
    {"type": "track", "payload": {"eventId": "e-5", "path": "/"}},
    {"type": "nonsense", "name": "b"},
    {"type": "outgoing_link", "payload": {"eventId": "e-6", "href": "https://elsewhere.example/", "text": "away"}},
]
FILES = [
    file("invoice.bin", "AGludm9pY2UA/w=="),
    file("again.bin", "AGludm9pY2UA/w=="),
    file("other.bin", "/wBvdGhlcgA="),
]
VITAL = {"path": "/pricing", "metricName": "LCP", "metricValue": 2500.5, "anonymousId": "anon-1", "eventId": "e-7"}
BUYER = {"event_name": "bought", "user_id": "u-1", "properties": {"price": 12.50, "big": 12345678901234567890123}}
LEFT = {"primary_user_id": "u-1", "alias_id": "device-9"}
BROWSER = {"event_name": "looked", "user_id": "u-2", "app_id": VALUE["app"]}
PERSON = {"apiKey": VALUE["browsee"], "userId": "u-7", "anonymousId": "a-7"}

ACCEPTED = [
    post("databuddy single", "/track", {"name": "bought", "eventId": "e-1"}, **bearer("databuddy")),
    post("databuddy list", f"/track?website_id={SITE}", DATABUDDY_EVENTS, User_Agent=FIREFOX),
    post("databuddy mixed batch", f"/batch?client_id={SITE}", MIXED),
    post("databuddy vitals", f"/vitals?client_id={SITE}", [VITAL]),
    {"name": "databuddy pixel", "method": "GET", "path": f"/px.jpg?client_id={SITE}&name=seen&eventId=e-8"},
    post("databuddy person", f"/track?website_id={BLOG_SITE}", {"name": "read", "eventId": "e-9"}, **BLOG),
    *[
        post(
            f"databuddy crawler {number}",
            f"/track?website_id={BLOG_SITE}",
            {"name": "crawled", "eventId": f"c-{number}"},
            User_Agent=CRAWLER,
            **BLOG,
        )
        for number in (1, 2, 3)
    ],
    post("databuddy duplicate", "/track", {"name": "bought", "eventId": "e-1"}, **bearer("databuddy")),
    post(
        "databuddy mixed batch under a key",
        f"/batch?client_id={SITE}",
        [{"type": "track", "payload": {"name": "kept"}}, {"type": "nonsense"}],
        Idempotency_Key="batch-1",
    ),
    post("appizer single", "/v1/events", BUYER, **bearer("appizer")),
    post("appizer batch", "/v1/events/batch", {"events": [BUYER, {**BUYER, "user_id": "ü-2"}]}, **bearer("appizer")),
    post("appizer under a key", "/v1/events", BUYER, Idempotency_Key="order-1", **bearer("appizer")),
    post("appizer user", "/v1/users", {"user_id": "u-1", "email": "ada@example.com"}, **bearer("appizer")),
    post("appizer alias", "/v1/users/aliases", LEFT, **bearer("appizer")),
    post("appizer browser", "/v1/events", BROWSER, Origin="https://www.shop.example", User_Agent=FIREFOX),
    post("appizer by the key to rotate", "/v1/events", BUYER, Idempotency_Key="order-2", **bearer("rotated")),
    post("tranthor single", f"{TRANTHOR}/track", track("t-1", userId="u-1", properties={"n": 1}), **basic("tranthor")),
    post("tranthor by the key to revoke", f"{TRANTHOR}/track", track("t-2", userId="u-1"), **basic("revoked")),
    post("tranthor files", f"{TRANTHOR}/track", track("t-3", userId="u-1", files=FILES), **basic("tranthor")),
    post(
        "tranthor batch",
        f"{TRANTHOR}/batch",
        {
            "batch": [
                {"type": "identify", "messageId": "t-4", "userId": "u-1", "traits": {"email": "ada@example.com"}},
                {"type": "page", "messageId": "t-5", "anonymousId": "a-1", "name": "Home"},
                {"type": "screen", "messageId": "t-6", "anonymousId": "a-1", "name": "Cart"},
                {"type": "group", "messageId": "t-7", "userId": "u-1", "groupId": "acme"},
            ],
            "context": {"locale": "de-AT", "library": {"name": "transit", "version": "1.0"}},
            "sentAt": "2026-01-02T03:04:05.678Z",
        },
        **basic("tranthor"),
    ),
    post(
        "tranthor batch with items of nobody",
        f"{TRANTHOR}/batch",
        {"batch": [track("h-1"), track("t-8", userId="u-1"), track("h-2", userId=""), track("t-1", userId="u-1")]},
        **basic("tranthor"),
    ),
    post("tranthor single of nobody", f"{TRANTHOR}/track", track("h-3", userId=None), **basic("tranthor")),
    post("tranthor duplicate", f"{TRANTHOR}/track", track("t-1", userId="u-1"), **basic("tranthor")),
    post("tranthor of the blog", f"{TRANTHOR}/track", track("t-1", userId="u-1"), **basic("blog tranthor")),
    post(
        "tranthor under a key",
        f"{TRANTHOR}/batch",
        {"batch": [{"type": "track", "userId": "u-1", "event": "No Id"}, track("h-4")]},
        Idempotency_Key="batch-1",
        **basic("tranthor"),
    ),
    post("browsee track", "/api/v1/track", {**PERSON, "event": "CLICKED", "properties": {"price": 100}}, **BLOG),
    post("browsee identify", "/api/v1/identify", {**PERSON, "traits": {"$tags": ["vip"]}}, **BLOG),
    post("browsee under a key", "/api/v1/track", {**PERSON, "event": "PAID"}, Idempotency_Key="order-1", **BLOG),
]
"""Requests that were answered 2xx, in their order."""

TOO_OLD = {"name": "long ago", "timestamp": "1999-12-31T23:59:59.999Z"}
REFUSED = [
    post("an unknown key", "/v1/events", BUYER, Authorization="Bearer ak_0000000000000000000000000stranger"),
    post("the revoked key", f"{TRANTHOR}/track", track("r-1", userId="u-1"), **basic("revoked")),
    post("no JSON", f"{TRANTHOR}/track", '{"messageId": "r-2', **basic("tranthor")),
    post("a bad field", "/track", {"name": 5}, **bearer("databuddy")),
    post("a batch with one bad event", "/v1/events/batch", {"events": [BUYER, {"user_id": "u"}]}, **bearer("appizer")),
    post("another origin", "/v1/events", BROWSER, Origin="https://evil.example"),
    post("another content under a key", "/v1/events", LEFT | BUYER, Idempotency_Key="order-1", **bearer("appizer")),
    post("an event of nobody", "/api/v1/track", {"apiKey": VALUE["browsee"], "event": "E"}, **BLOG),
    post("an unknown path", "/no/such/path", {}),
    post("too old, replayed then", "/track", [{**TOO_OLD, "eventId": "r-3"}, TOO_OLD], **bearer("databuddy")),
    post("too old, not replayed", "/track", [{**TOO_OLD, "eventId": "r-4"}, TOO_OLD], **bearer("databuddy")),
]
"""Requests that were answered with an error, in their order."""


class Gateway:
    """The command of some version, used on one data directory."""

    def __init__(self, command: str, data: Path) -> None:
        self._command = command
        self._data = data
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}

    def say(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command that must succeed."""
        whole = [self._command, *arguments, "--data", str(self._data)]
        return subprocess.run(whole, capture_output=True, text=True, timeout=PATIENCE, env=self._env, check=True)

    def lines(self, *arguments: str) -> list[str]:
        """Run a command and return its lines."""
        return self.say(*arguments).stdout.splitlines()

    def told(self, *arguments: str) -> list[Any]:
        """Run a command that prints JSON lines, and return what they say."""
        return [json.loads(line) for line in self.lines(*arguments)]

    def serve(self) -> tuple[subprocess.Popen[str], str]:
        """Start the server; return its process and its URL."""
        arguments = ["serve", "--data", str(self._data), "--host", "127.0.0.1", "--port", "0", "--config", str(CONFIG)]
        process = subprocess.Popen([self._command, *arguments], stdout=subprocess.PIPE, text=True, env=self._env)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("http://"):
                return process, line.strip()
        raise AssertionError("the gateway ended before it was ready")


def send(url: str, request: dict[str, Any]) -> dict[str, Any]:
    """Send a request and return its answer; bytes that are no text stand as Latin-1."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    try:
        body = request.get("body")
        headers = {"Content-Type": "application/json", **request.get("headers", {})}
        connection.request(request["method"], request["path"], None if body is None else body.encode(), headers)
        answer = connection.getresponse()
        text = answer.read().decode("latin-1")
        return {"status": answer.status, "receipt": answer.headers["X-Gateway-Receipt"], "body": text}
    finally:
        connection.close()


def exchanged(url: str, requests: list[dict[str, Any]], good: bool) -> dict[str, Any]:
    """Send requests one after the other; return them with their answers, by name."""
    found = {}
    for request in requests:
        answer = send(url, request)
        assert (answer["status"] < 300) == good, (request, answer)
        found[request.pop("name")] = {"request": request, "answer": answer}
    return found


def used(gateway: Gateway) -> dict[str, Any]:
    """Run the server, do with it what there is to do, stop it, and return what was said."""
    process, url = gateway.serve()
    try:
        ids = {}
        for name, (project, dialect, kind, value, origins) in KEYS.items():
            named = ["--project", project, "--dialect", dialect, "--kind", kind, "--value", value]
            allowed = [word for origin in origins for word in ("--origin", origin)]
            [made] = gateway.told("keys", "add", "--json", *named, *allowed)
            ids[name] = made["id"]
        [token] = gateway.lines("admin-token")
        time.sleep(TAKEN_UP)
        accepted = exchanged(url, ACCEPTED, good=True)
        gateway.say("keys", "revoke", ids["revoked"])
        [successor] = gateway.told("keys", "rotate", ids["rotated"], "--grace", str(HUNDRED_YEARS), "--json")
        time.sleep(TAKEN_UP)
        refused = exchanged(url, REFUSED, good=False)
        time.sleep(TAKEN_UP)  # refused requests are written a second behind

        quarantined = {row["message_id"]: str(row["id"]) for row in gateway.told("quarantine", "list")}
        filtered = {row["message_id"]: str(row["id"]) for row in gateway.told("quarantine", "list", "--filtered")}
        too_old = [row for row in gateway.told("quarantine", "list", "--refused") if row["path"] == "/track"][-2]
        gateway.say("quarantine", "drop", quarantined["h-3"])
        [replayed] = gateway.lines("quarantine", "replay", filtered["c-1"])
        assert replayed.startswith("1 stored, 0 "), replayed
        [replayed] = gateway.lines("quarantine", "replay", "--refused", str(too_old["id"]))
        assert replayed.startswith(f"{too_old['id']}: 2 stored, 0 "), replayed
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    keys = {**VALUE, "successor": successor["value"]}
    return {"admin_token": token, "keys": keys, "accepted": accepted, "refused": refused}


def said(gateway: Gateway, receipts: list[str]) -> dict[str, Any]:
    """Return what the version's commands say of a directory on which no server runs."""
    return {
        "events": gateway.lines("events", "export"),
        "counts": gateway.told("events", "counts", "--json"),
        "kept_aside": {
            "quarantined": gateway.told("quarantine", "list"),
            "filtered": gateway.told("quarantine", "list", "--filtered"),
            "refused": gateway.told("quarantine", "list", "--refused"),
        },
        "receipts": {each: json.loads(gateway.say("receipt", each).stdout) for each in receipts},
        "credentials": gateway.told("keys", "list", "--json"),
        "retranslated": gateway.say("events", "retranslate", "--dry-run", "--config", str(CONFIG)).stderr.strip(),
    }


def main(command: str, target: Path) -> None:
    """Make the directory, and the JSON file beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        expected = used(Gateway(command, data))
        (data / "lock").unlink()
        left = sorted(each.name for each in data.iterdir())
        assert left[:-1] == ["blobs", "events.db", "keys.db"], left
        shutil.copytree(data, target)
        receipts = [each["answer"]["receipt"] for each in expected["accepted"].values()]
        expected |= said(Gateway(command, data), receipts)
    blobs = sorted((target / "blobs").glob("*/*"))
    expected["blobs"] = {each.relative_to(target).as_posix(): _digest(each) for each in blobs}
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    target.with_name(f"expected-{target.name.removeprefix('data-')}.json").write_text(text + "\n", "utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
