"""A secret is known in whatever form it comes back: percent-encoded, in base64, with escapes, in names and in paths."""

import asyncio
import base64
import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from tests.faults.figures import Figure
from tests.faults.lives import EVERY_LINE, TRACEBACK, log_of
from tests.faults.wire import ask, request
from tests.kit.serving import add_key, serving
from tests.security.canaries import texts_of

SECRETS = {  # with characters that look different in each form
    "databuddy": "dbdy_canary/+x=y1111",
    "appizer": "ak_canary/+x=y22222",
    "tranthor": "trn_canary/+x=333333",
    "browsee": "brw_canary/+x=y444444",
}
KINDS = {"databuddy": "api_key", "appizer": "api_key", "tranthor": "write_key", "browsee": "api_key"}
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
KEEPING = "[storage]\nkeep_raw_days = 1\n[projects.shop]\nfilter_bots = true\n"
PATIENCE = 20.0


def spellings(secret: str) -> Mapping[str, str]:
    def packed(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    return {
        "plain": secret,
        "percent-encoded": quote(secret, safe=""),
        "percent-encoded in small letters": re.sub("%..", lambda triple: triple[0].lower(), quote(secret, safe="")),
        "base64": packed(secret),
        "base64 for URLs": base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        "Basic, as a user": packed(f"{secret}:"),
        "Basic, as a password": packed(f":{secret}"),
    }


def requests(spelled: Mapping[str, str]) -> Iterator[bytes]:
    """Yield requests that bear their own key once more, by dialect, where it is held, refused or kept raw."""
    bearer = {name: {"Authorization": f"Bearer {SECRETS[name]}"} for name in ("databuddy", "appizer")}
    basic = {"Authorization": f"Basic {SECRETS['tranthor']}"}
    encoded = {name: quote(text, safe="") for name, text in spelled.items()}
    beside = {
        name: {"Referer": f"https://a.example/?k={encoded[name]}", "X-Beside": text} for name, text in spelled.items()
    }

    text = spelled["tranthor"]
    on_invalid = {"type": "track", "messageId": f"m {hash(text)}", "properties": {"k": text, text: text}}
    event = {"type": "track", "userId": "u", "event": "e", "messageId": f"good {hash(text)}"}
    yield request("/api/public/apps/batch", {"batch": [on_invalid]}, basic)
    yield request(
        f"/api/public/apps/batch?k={encoded['tranthor']}", {"batch": [event]}, {**basic, **beside["tranthor"]}
    )
    yield request("/api/public/apps/track", {"messageId": "1", "leak": text}, basic)

    text, key = spelled["databuddy"], bearer["databuddy"]
    unkept = json.dumps({"name": "a", "properties": {text: 0}}).replace(": 0}", f": {'9' * 1001}}}")
    yield request("/track", {"name": 5, text: text}, {**key, **beside["databuddy"]})
    yield request("/track", unkept.encode(), key)
    yield request("/track", {"name": "a", "properties": {"k": text}}, {**key, "User-Agent": CRAWLER})
    yield request(f"/nowhere/{encoded['databuddy']}?k={text}", None, {**key, **beside["databuddy"]})

    text = spelled["appizer"]
    yield request("/v1/events", {"event_name": 5, "properties": {"k": text}}, bearer["appizer"])
    yield request("/v1/events", {"event_name": "a", "k": text}, {"Authorization": f"Token {SECRETS['appizer']}"})

    key = {"apiKey": SECRETS["browsee"]}
    yield request("/api/v1/track", {**key, "event": "e", "userId": 5, "properties": {"k": spelled["browsee"]}})
    yield request("/api/v1/track", f"apiKey={encoded['browsee']}&event=e".encode())


def test_a_secret_is_nowhere_in_any_of_its_spellings(tmp_path: Path, figure: Figure) -> None:
    config, data = tmp_path / "gateway.toml", tmp_path / "data"
    config.write_text(KEEPING)
    for dialect, secret in SECRETS.items():
        add_key(data, dialect, KINDS[dialect], secret)
    forms = spellings(SECRETS["databuddy"])
    own = [
        raw
        for form in forms
        for raw in requests({dialect: spellings(secret)[form] for dialect, secret in SECRETS.items()})
    ]
    with serving(data, "--config", str(config), env=EVERY_LINE) as served:
        statuses = [asyncio.run(ask(served.url, raw)).status for raw in own]
        deadline = time.monotonic() + PATIENCE
        refused = sum(status >= 400 for status in statuses)
        while len(served.cli("quarantine", "list", "--rejected").splitlines()) < refused:
            assert time.monotonic() < deadline
        quarantined = len(served.cli("quarantine", "list").splitlines())
        assert served.stop() == 0
    texts = [("stderr", log_of(data).encode()), *texts_of(data)]
    leaks = {
        f"{dialect}'s, {form}, in {where}"
        for where, text in texts
        for dialect, secret in SECRETS.items()
        for form, spelled in spellings(secret).items()
        if spelled.encode() in text
    }
    figure(f"{len(own)} requests, {quarantined} items held, {refused} refused: {len(leaks)} leaks")
    assert sorted(leaks) == []
    assert {status // 100 for status in statuses} == {2, 4}
    assert quarantined == len(forms)


def test_what_a_client_sends_never_ends_a_line_of_the_log(tmp_path: Path) -> None:
    key = {"Authorization": f"Bearer {SECRETS['databuddy']}"}
    forged = "2026-01-01 00:00:00,000 CRITICAL gateway forged"
    add_key(tmp_path / "data", "databuddy", "api_key", SECRETS["databuddy"])
    with serving(tmp_path / "data") as served:
        for raw in (
            request(f"/{quote(f'{chr(10)}{forged}{chr(13)}{chr(10)}{chr(27)}[2Jx')}", {}),
            request("/track", b'{"name":"a","properties":{"x\\n%s\\u2028\\u001b[2J":1e999}}' % forged.encode(), key),
            request("/v1/" + "a" * 5000, {}),
        ):
            assert asyncio.run(ask(served.url, raw)).status in (400, 404)
        assert served.stop() == 0
    log = log_of(tmp_path / "data")
    lines = [line for line in log.split("\n") if "refused" in line]
    assert (len(lines), [line for line in log.split("\n") if line.startswith(forged)]) == (3, [])
    assert all(line.isprintable() and len(line) < 1000 for line in lines)
    assert TRACEBACK not in log
