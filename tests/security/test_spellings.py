"""A secret is known in whatever form it comes back: percent-encoded, in base64, with escapes, in names and in paths."""

import asyncio
import base64
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote

import attrs

from gateway.config import ProjectSettings
from gateway.dialect import Submission
from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.corpus.message import SentRequest
from gateway.testing.gate import Gate
from gateway.testing.memory import MemoryStorage
from gateway.testing.samples.places import places_of, with_member, with_value, without
from gateway.testing.samples.variants import with_body
from tests.faults.figures import Figure
from tests.faults.lives import EVERY_LINE, TRACEBACK, log_of
from tests.faults.wire import ask, request
from tests.kit.endpoints import Endpoint, endpoints, raw
from tests.kit.of_dialects import subjects
from tests.kit.serving import add_key, serving
from tests.security.canaries import texts_of

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


@cache
def own_keys() -> Mapping[str, str]:
    """Return a key of each dialect, with characters that look different in each form."""
    kinds = {name: each.dialect.kinds[0].template for name, each in subjects().items()}
    marks = {name: f"canary/+x=y{number * 1111:04d}" for number, name in enumerate(kinds, 1)}
    return {name: kind.replace("{token}", marks[name]).replace("{uuid}", marks[name]) for name, kind in kinds.items()}


def unfit(endpoint: Endpoint, mark: str) -> SentRequest:
    """Return a request whose only item has members that make no event; its ids come from the mark."""
    known = {endpoint.kind.name: own_keys()[endpoint.dialect.name]}
    whole = endpoint.shown(endpoint.of(mark), known[endpoint.kind.name])
    members = [place for place in places_of(whole, leaves=True) if place.path[:-1] == endpoint.item.path]
    for place in members:
        for changed in (with_value(whole, place, 5), with_value(whole, place, []), without(whole, place)):
            read = endpoint.sample.parse(changed)
            is_known = isinstance(read, Submission) and read.credentials and read.items
            if place not in endpoint.ids and is_known and not kept(endpoint, changed).bodies:
                return changed
    raise AssertionError(f"each request to {endpoint} becomes an event")


def kept(endpoint: Endpoint, *sent: SentRequest) -> MemoryStorage:
    """Return what a gateway in memory that filters bots keeps of some requests."""
    key = own_keys()[endpoint.dialect.name]
    credential = CorpusCredential(endpoint.kind.name, key, project="shop")
    gate = Gate.of(endpoint.dialect, [credential], projects={"shop": ProjectSettings(filter_bots=True)})
    gate.send(*sent)
    return gate.storage


def requests(endpoint: Endpoint, form: str) -> Iterator[SentRequest]:
    """Yield requests that bear their own key once more: where it is held, refused, filtered or kept raw."""
    key = own_keys()[endpoint.dialect.name]
    text = spellings(key)[form]
    encoded = quote(text, safe="")
    beside = {"Referer": f"https://a.example/?k={encoded}", "X-Beside": text}
    good = endpoint.shown(endpoint.of(f"good {form} {endpoint}"), key)
    bad = unfit(endpoint, f"bad {form} {endpoint}")
    first = endpoint.kind.places[0]

    yield attrs.evolve(good, target=f"{good.target}?k={encoded}", headers={**good.headers, **beside})
    if first.where == "header":  # what is in a body is not read where nobody listens
        yield attrs.evolve(good, target=f"/nowhere/{encoded}?k={text}", headers={**good.headers, **beside})
    in_body = [
        with_member(bad, endpoint.item, "leak", json.dumps({"k": text, text: text}).encode()),
        attrs.evolve(with_member(bad, endpoint.item, text, b'"x"'), headers={**bad.headers, **beside}),
        with_member(good, endpoint.item, "properties", b"{%s:%s}" % (json.dumps(text).encode(), b"9" * 1001)),
        with_member(good.with_header("User-Agent", CRAWLER), endpoint.item, "leak", json.dumps(text).encode()),
        with_body(good, f"{first.name}={encoded}&event=e".encode()),
    ]
    if first.where == "header":
        in_body.append(in_body[0].with_header(first.name, f"Token {key}"))
    yield from (sent for sent in in_body if not kept(endpoint, sent).bodies)


def test_a_secret_is_nowhere_in_any_of_its_spellings(tmp_path: Path, figure: Figure) -> None:
    config, data = tmp_path / "gateway.toml", tmp_path / "data"
    config.write_text(KEEPING)
    for name, secret in own_keys().items():
        add_key(data, name, subjects()[name].dialect.kinds[0].name, secret)
    own = {each: [sent for form in spellings("") for sent in requests(each, form)] for each in endpoints()}
    held = Counter(item.verdict for endpoint, sent in own.items() for item in kept(endpoint, *sent).quarantined)
    with serving(data, "--config", str(config), env=EVERY_LINE) as served:
        statuses = [asyncio.run(ask(served.url, raw(sent))).status for of_one in own.values() for sent in of_one]
        deadline = time.monotonic() + PATIENCE
        refused = sum(status >= 400 for status in statuses)
        while len(served.cli("quarantine", "list", "--rejected").splitlines()) < refused:
            assert time.monotonic() < deadline
        listed = {
            "quarantined": len(served.cli("quarantine", "list").splitlines()),
            "filtered": len(served.cli("quarantine", "list", "--filtered").splitlines()),
        }
        assert served.stop() == 0
    texts = [("stderr", log_of(data).encode()), *texts_of(data)]
    leaks = {
        f"{dialect}'s, {form}, in {where}"
        for where, text in texts
        for dialect, secret in own_keys().items()
        for form, spelled in spellings(secret).items()
        if spelled.encode() in text
    }
    figure(f"{len(statuses)} requests, {listed} items held, {refused} refused: {len(leaks)} leaks")
    assert sorted(leaks) == []
    assert {status // 100 for status in statuses} == {2, 4}
    assert listed == held
    assert min(listed.values()) >= len(spellings(""))


def test_what_a_client_sends_never_ends_a_line_of_the_log(tmp_path: Path) -> None:
    secret = "dbdy_0123456789"
    key = {"Authorization": f"Bearer {secret}"}
    forged = "2026-01-01 00:00:00,000 CRITICAL gateway forged"
    add_key(tmp_path / "data", "databuddy", "api_key", secret)
    with serving(tmp_path / "data") as served:
        for sent in (
            request(f"/{quote(f'{chr(10)}{forged}{chr(13)}{chr(10)}{chr(27)}[2Jx')}", {}),
            request("/track", b'{"name":"a","properties":{"x\\n%s\\u2028\\u001b[2J":1e999}}' % forged.encode(), key),
            request("/v1/" + "a" * 5000, {}),
        ):
            assert asyncio.run(ask(served.url, sent)).status in (400, 404)
        assert served.stop() == 0
    log = log_of(tmp_path / "data")
    lines = [line for line in log.split("\n") if "refused" in line]
    assert (len(lines), [line for line in log.split("\n") if line.startswith(forged)]) == (3, [])
    assert all(line.isprintable() and len(line) < 1000 for line in lines)
    assert TRACEBACK not in log
