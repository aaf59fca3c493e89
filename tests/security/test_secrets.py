"""Secrets stay nowhere: not in a file of the data directory, a log, an answer, an export, the metrics."""

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from gateway.dialect import CredentialKind
from gateway.dialect.description import CredentialPlace
from gateway.testing.samples.places import ROOT, Place, json_of, with_member, with_value
from gateway.testing.samples.variants import without_credentials
from tests.faults.figures import Figure
from tests.faults.lives import EVERY_LINE, log_of
from tests.faults.wire import Answer, Connection, Cut, ask, request
from tests.kit.endpoints import Endpoint, key_of, raw, shown
from tests.kit.of_dialects import subjects
from tests.kit.serving import add_key, run, serving
from tests.security.canaries import Canaries, texts_of
from tests.security.hostile import targets

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
SECRET_NAMES = ("apiKey", "api_key", "APIKEY", "token", "password")


def with_keys(data: Path, canaries: Canaries) -> None:
    """Give a data directory one known credential a dialect."""
    for name, each in subjects().items():
        canaries.known[name] = canaries.new(f"{name}, known")
        add_key(data, name, each.dialect.kinds[0].name, canaries.known[name])


async def answers(url: str, requests: Iterable[bytes]) -> list[Answer]:
    """Send all requests and return their answers."""
    found: list[Answer] = []
    connection = await Connection.open(url)
    for each in requests:
        try:
            answer = await connection.exchange(each, each.partition(b" ")[0].decode())
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
        found = asyncio.run(answers(served.url, [*canaries.requests()]))
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


def bodies_for_anybody(endpoint: Endpoint) -> Iterator[bytes]:
    """Yield bodies with a secret in a field that is named like one, good events and bad ones."""
    escaped = SECRET.replace("/", "\\/").replace("c", "\\u0063")
    insides = [b'"%s":"%s"' % (name.encode(), SECRET.encode()) for name in SECRET_NAMES]
    insides.append(b'"a":"\\"","apiKey":"%s"' % escaped.encode())
    insides.append(b'"api\\u004bey":"%s"' % escaped.encode())
    insides.append(b'"a":"{\\"apiKey\\": \\"%s\\"}"' % SECRET.encode())
    for sent in (endpoint.of("seen"), with_value(endpoint.one, endpoint.mark, 5)):
        for inside in insides:
            yield with_member(sent, ROOT, "properties", b"{%s}" % inside).body


def public_kinds() -> Iterator[tuple[Endpoint, CredentialKind, CredentialPlace]]:
    """Yield an endpoint of each dialect that takes a public id in a header, with the id's kind and place."""
    for target in targets():
        for kind in target.one.dialect.kinds:
            for place in kind.places:
                if kind.public and place.where == "header":
                    yield target.one, kind, place


def requests_of_anybody() -> Iterator[bytes]:
    for endpoint, kind, place in public_kinds():
        path, opened = endpoint.one.target, {place.name: key_of(kind)}
        for body in bodies_for_anybody(endpoint):
            yield request(path, body, opened)
        for sent in (endpoint.of("seen"), with_value(endpoint.one, endpoint.mark, 5)):
            bare = json_of(sent)
            event = {**bare, "properties": {"k": SECRET, SECRET: "k"}}
            yield request(f"{path}?api_key={quote(SECRET, safe='')}", bare, opened)
            yield request(path, event, {**opened, "X-Token": SECRET})
            yield request(path, event, {**opened, "X-Secret": f"other-secret, {SECRET}", "Cookie": f"sid={SECRET}"})
            for header in PROXIES:
                yield request(path, bare, {**opened, header: SECRET})
        for form in (f"a=b&apiKey={quote(SECRET, safe='')}", f"token={SECRET}", multipart()):
            yield request(path, form.encode(), opened)
    yield from pixels()


def pixels() -> Iterator[bytes]:
    """Yield a GET that stores something with a public id, of each dialect that has one, and a secret beside it."""
    for each in subjects().values():
        public = [(kind, place) for kind in each.dialect.kinds if kind.public for place in kind.places]
        places = [(kind, place) for kind, place in public if place.where == "query"]
        for sample in each.samples:
            bare = without_credentials(sample)
            if sample.request.method == "GET" and bare is not None and places:
                kind, place = places[0]
                opened = shown(bare, place, key_of(kind))
                yield raw(with_value(opened, Place("query", ("token",)), SECRET))


def multipart() -> str:
    head = 'Content-Disposition: form-data; name="apiKey"\r\nContent-Type: text/plain'
    return f"--frontier\r\n{head}\r\n\r\n{SECRET}\r\n--frontier--\r\n"


def test_what_a_public_id_opens_is_kept_without_anybodys_secrets(tmp_path: Path, figure: Figure) -> None:
    config, data = tmp_path / "gateway.toml", tmp_path / "data"
    config.write_text(KEEPING)
    for endpoint, kind, _ in public_kinds():
        add_key(data, endpoint.dialect.name, kind.name, key_of(kind))
    with serving(data, "--config", str(config), env=EVERY_LINE) as served:
        statuses = [asyncio.run(ask(served.url, each)).status for each in requests_of_anybody()]
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
