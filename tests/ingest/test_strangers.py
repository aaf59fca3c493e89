"""Nothing that a stranger sends is booked to a project that he merely names, wherever and in whatever dialect."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

from gateway.app import build_handler
from gateway.config import Config
from gateway.datadir import DataDir
from gateway.dialect import Dialect
from gateway.http.handler import RequestHead
from gateway.ingest.registry import discover
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.storage.sqlite.read.rejected import counts, rejected_requests
from gateway.storage.sqlite.rejected_file import rejected_log
from gateway.testing.memory import MemoryStorage
from tests.kit.of_dialects import modules

SALT = b"salt"
PROJECT = "shop"
KEY_ID = "key_0123456789ab"
DIALECTS = {each.name: each for each in discover()}
ROUTES = [(name, route.name) for name, each in DIALECTS.items() for route in each.routes_for(frozenset())]
NAMES = (
    *("project", "project_id", "projectId", "key_id", "credential_id", "site", "app", "app_id", "appId", "website"),
    *("website_id", "websiteId", "client_id", "clientId", "writeKey", "apiKey", "api_key", "token", "tenant"),
)
NAMED = dict.fromkeys(NAMES, PROJECT)
BASIC = base64.b64encode(f"{PROJECT}:".encode()).decode()
PLACES_OF_KINDS = [place for each in DIALECTS.values() for kind in each.kinds for place in kind.places]
HEADERS = {
    **{f"x-{name.replace('_', '-').lower()}": PROJECT for name in NAMES},
    **{place.name.lower(): PROJECT for place in PLACES_OF_KINDS if place.where == "header" and place.scheme is None},
    **dict.fromkeys(("x-gateway-project", "cookie"), PROJECT),
}
PLACES: dict[str, tuple[Mapping[str, str], str, object]] = {
    "in the query": ({}, urlencode(NAMED), {}),
    "in the body": ({}, "", {**NAMED, "name": "seen", "event": "seen"}),
    "in the items of the body": ({}, "", [{**NAMED, "payload": NAMED, "properties": NAMED, "context": NAMED}]),
    "in the items of a batch": ({}, "", {**NAMED, "batch": [NAMED], "events": [NAMED]}),
    "in headers": (HEADERS, "", {}),
    "as a bearer token": ({"authorization": f"Bearer {PROJECT}"}, "", {}),
    "as a name of Basic": ({"authorization": f"Basic {BASIC}"}, "", {}),
    "by the id of its key": ({"authorization": f"Bearer {KEY_ID}"}, urlencode(dict.fromkeys(NAMES, KEY_ID)), {}),
    "by its host": ({"host": f"{PROJECT}.example"}, "", {}),
    "by its page": ({"origin": f"https://{PROJECT}.example", "referer": f"https://{PROJECT}.example/"}, "", {}),
}
BY_THEIR_PAGE = {(name, route) for name, each in modules("strangers").items() for route in each.BY_THEIR_PAGE}
"""Routes where the page of exactly one site is that site's id."""


def keyring() -> Keyring:
    """Return a credential of each kind of all dialects, of one project, which no test sends."""
    grants = {}
    for name, dialect in DIALECTS.items():
        for kind in dialect.kinds:
            grants[digest(SALT, name, kind.name, f"the {name} {kind.name}")] = Grant(
                KEY_ID, PROJECT, name, kind.name, frozenset(dialect.scopes), (f"{PROJECT}.example",)
            )
    return Keyring(SALT, grants)


def booked(folder: Path, sent: Iterable[tuple[RequestHead, object]], *dialects: Dialect) -> tuple[int, Counter[object]]:
    """Send requests; return how many were stored, and how often rejected requests and counts name each project."""
    storage = MemoryStorage()
    waiting = rejected_log(DataDir(folder).rejected, 1 << 20, 60.0, pause=3600)

    async def answered() -> None:
        handler = build_handler(Config(), dialects, storage, keyring(), rejected_log=waiting)
        async with waiting.running():
            for head, body in sent:
                await handler.route(head).answer(json.dumps(body).encode())

    asyncio.run(answered())
    rows = [(row["project"], row["credential_id"]) for row in rejected_requests(DataDir(folder))]
    return len(storage.entries), Counter([*rows, *(project for project, _, _ in counts(DataDir(folder)))])


@pytest.mark.parametrize(("name", "route_name"), ROUTES)
def test_a_project_that_is_only_named_gets_nothing(tmp_path: Path, name: str, route_name: str) -> None:
    dialect = DIALECTS[name]
    route = next(each for each in dialect.routes_for(frozenset()) if each.name == route_name)
    method, path = route.method, route.paths[0]
    sent = [
        (RequestHead(method, path, query, {"host": "gateway.example", **headers}, "192.0.2.1"), body)
        for headers, query, body in PLACES.values()
    ]
    if (name, route_name) in BY_THEIR_PAGE:
        expected: Counter[object] = Counter({(None, None): 9, "": 1, (PROJECT, KEY_ID): 1, PROJECT: 1})
    else:
        expected = Counter({(None, None): 10, "": 1})
    assert booked(tmp_path, sent, dialect) == (0, expected)


def test_a_project_in_a_path_is_a_path(tmp_path: Path) -> None:
    paths = ("/{}/track", "/track/{}", "/projects/{}/events", "/{}", "//{}//batch/", "/v1/{}/events")
    heads = [
        RequestHead("POST", path.format(PROJECT), "", {"host": "gateway.example", **HEADERS}, "192.0.2.1")
        for path in paths
    ]
    stored, found = booked(tmp_path, [(head, NAMED) for head in heads], *DIALECTS.values())
    assert (stored, found[(None, None)], set(found)) == (0, 6, {(None, None), ""})
