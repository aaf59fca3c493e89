"""Secrets stay nowhere: not in a file of the data directory, a log, an answer, an export, the metrics."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from tests.faults.figures import Figure
from tests.faults.lives import EVERY_LINE, log_of
from tests.faults.wire import Answer, Connection, Cut, ask, request
from tests.kit.serving import add_key, run, serving
from tests.security.canaries import Canaries, texts_of

KINDS = {"databuddy": "api_key", "appizer": "api_key", "tranthor": "write_key", "browsee": "api_key"}
SITE, APP = "0e1c3a5e-0000-4000-8000-0000000000aa", "app_0123456789abcdef"
KEEPING = "[storage]\nkeep_raw_days = 1\n"
SECRET = "canary/+x=y0123"
PROXIES = (
    *("Cf-Access-Jwt-Assertion", "Cf-Access-Authenticated-User-Email", "X-Amzn-Oidc-Data", "X-Amzn-Oidc-Identity"),
    *("X-Amzn-Oidc-Accesstoken", "X-Goog-Iap-Jwt-Assertion", "X-Goog-Authenticated-User-Id", "X-Ms-Client-Principal"),
    *("X-Ms-Token-Aad-Id-Token", "X-Forwarded-Access-Token", "X-Forwarded-User", "X-Forwarded-Email", "Remote-User"),
    *("X-Remote-User", "X-Auth-Request-Email", "X-Authentik-Username", "X-Pomerium-Jwt-Assertion", "X-Vouch-User"),
    *("Tailscale-User-Login", "X-Userinfo", "X-Client-Cert", "Proxy-Authorization", "X-Session-Id", "Remote-Email"),
)
PATIENCE = 20.0


def with_keys(data: Path, canaries: Canaries) -> None:
    """Give a data directory one known credential a dialect."""
    for dialect, kind in KINDS.items():
        canaries.known[dialect] = canaries.new(f"{dialect}, known")
        add_key(data, dialect, kind, canaries.known[dialect])


async def answers(url: str, canaries: Canaries) -> list[Answer]:
    """Send all requests and return their answers."""
    found: list[Answer] = []
    connection = await Connection.open(url)
    for raw in canaries.requests():
        try:
            answer = await connection.exchange(raw, raw.partition(b" ")[0].decode())
        except Cut:
            connection.cut()
            connection = await Connection.open(url)
            continue
        found.append(answer)
        if answer.headers.get("connection") == "close" or answer.status == 413:
            connection.cut()
            connection = await Connection.open(url)
    connection.cut()
    return found


def test_no_secret_is_found_in_anything_that_the_gateway_keeps_or_says(tmp_path: Path, figure: Figure) -> None:
    canaries, data = Canaries(), tmp_path / "data"
    with_keys(data, canaries)
    said: dict[str, bytes] = {}
    with serving(data, env=EVERY_LINE) as served:
        found = asyncio.run(answers(served.url, canaries))
        said["metrics"] = asyncio.run(ask(served.url, request("/-/metrics"))).body
        lists = (("events", "export"), ("quarantine", "list"), ("quarantine", "list", "--rejected"), ("keys", "list"))
        for words in lists:
            said[" ".join(words)] = (run(*words, "--data", str(data)).stdout).encode()
        said["greeting"] = served.greeting.encode()
        assert served.stop() == 0
        said["stdout"] = served.stdout.read_bytes()
    said["stderr"] = log_of(data).encode()
    texts = [*said.items(), *texts_of(data)]
    texts += [(f"answer {answer.status}", repr((answer.headers, answer.body)).encode()) for answer in found]
    leaks = {
        f"the secret of {place} in {where}"
        for where, text in texts
        if b"canary" in text
        for secret, place in canaries.places.items()
        if secret.encode() in text
    }
    stored = sum(200 <= answer.status < 300 for answer in found)
    figure(f"{len(canaries.places)} secrets in {len(found)} requests ({stored} accepted): {len(leaks)} leaks")
    assert stored > 30
    assert sorted(leaks) == []


def bodies_for_anybody() -> Iterator[bytes]:
    """Yield bodies with a secret in a field that is named like one, good events and bad ones."""
    escaped = SECRET.replace("/", "\\/").replace("c", "\\u0063")
    for name in ("seen", 5):
        for field in ("apiKey", "api_key", "APIKEY", "token", "password"):
            yield json.dumps({"name": name, "event_name": name, "properties": {field: SECRET}}).encode()
        shown = json.dumps(name)
        event = f'{{"name":{shown},"event_name":{shown},"properties":{{'
        yield f'{event}"a":"\\"","apiKey":"{escaped}"}}}}'.encode()
        yield f'{event}"api\\u004bey":"{escaped}"}}}}'.encode()
        yield f'{event}"a":"{{\\"apiKey\\": \\"{SECRET}\\"}}"}}}}'.encode()


def requests_of_anybody() -> Iterator[bytes]:
    for path, opened in (("/track", {"databuddy-client-id": SITE}), ("/v1/events", {"X-App-Id": APP})):
        for body in bodies_for_anybody():
            yield request(path, body, opened)
        event: dict[str, object] = {"name": "seen", "event_name": "seen", "properties": {"k": SECRET, SECRET: "k"}}
        for sent in (event, {**event, "name": 5, "event_name": 5}):
            yield request(f"{path}?api_key={quote(SECRET, safe='')}", {**sent, "properties": {}}, opened)
            yield request(path, sent, {**opened, "X-Token": SECRET})
            yield request(path, sent, {**opened, "X-Secret": f"other-secret, {SECRET}", "Cookie": f"sid={SECRET}"})
            for header in PROXIES:
                yield request(path, {**sent, "properties": {}}, {**opened, header: SECRET})
    yield request(f"/px.jpg?website_id={SITE}&type=track&name=a&token={quote(SECRET, safe='')}", None)
    for form in (f"a=b&apiKey={quote(SECRET, safe='')}", f"token={SECRET}", multipart()):
        yield request("/track", form.encode(), {"databuddy-client-id": SITE})


def multipart() -> str:
    head = 'Content-Disposition: form-data; name="apiKey"\r\nContent-Type: text/plain'
    return f"--frontier\r\n{head}\r\n\r\n{SECRET}\r\n--frontier--\r\n"


def test_what_a_public_id_opens_is_kept_without_anybodys_secrets(tmp_path: Path, figure: Figure) -> None:
    config, data = tmp_path / "gateway.toml", tmp_path / "data"
    config.write_text(KEEPING)
    add_key(data, "databuddy", "website", SITE)
    add_key(data, "appizer", "app", APP)
    with serving(data, "--config", str(config), env=EVERY_LINE) as served:
        statuses = [asyncio.run(ask(served.url, raw)).status for raw in requests_of_anybody()]
        deadline = time.monotonic() + PATIENCE
        while len(served.cli("quarantine", "list", "--rejected").splitlines()) < sum(each >= 400 for each in statuses):
            assert time.monotonic() < deadline
        assert served.stop() == 0
    with closing(sqlite3.connect(data / "events.db", isolation_level=None)) as file:
        file.execute("DELETE FROM log")  # events are stored as they were sent
        file.execute("VACUUM")
    texts = [("stderr", log_of(data).encode()), *texts_of(data)]
    leaks = {where for where, text in texts if b"canary" in text and "wal" not in where}
    figure(f"{len(statuses)} requests, {sum(each < 300 for each in statuses)} accepted: {len(leaks)} leaks")
    assert {status // 100 for status in statuses} == {2, 4}
    assert sorted(leaks) == []
