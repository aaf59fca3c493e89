"""The gateway's own endpoints and HEAD: what pages may read, and what a question about an answer leaves behind."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from dialects.browsee import dialect as browsee
from dialects.databuddy import dialect as databuddy
from gateway.app import build_handler
from gateway.config import Config
from gateway.datadir import DataDir
from gateway.dialect.message import Response
from gateway.http.handler import RequestHead
from gateway.ingest.handler import IngestHandler
from gateway.keys.admin import Admin
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.operate.admin_api import AdminApi
from gateway.storage.sqlite.read.rejected import rejected_requests
from gateway.storage.sqlite.rejected_file import rejected_log
from gateway.storage.sqlite.store import SqliteStore
from gateway.testing.memory import MemoryStorage

SALT = b"salt"
SITE = "0e1c3a5e-0000-4000-8000-0000000000aa"
PAGE = {"origin": "https://evil.example", "host": "gateway.example"}
ASKING = {**PAGE, "access-control-request-method": "GET", "access-control-request-headers": "authorization"}
PRIVATE = ("/-/metrics", "/-/healthy", "/-/ready", "/-/receipts/1", "/-/receipts/", "/-/", "/-/nothing", "/-/shim")
SHIM = "/-/shim/browsee.js"
PIXEL = "/px.jpg"


@attrs.frozen
class Gateway:
    """A handler, what it has stored, and the directory of its rejected requests."""

    handler: IngestHandler
    storage: MemoryStorage
    directory: DataDir

    def ask(self, method: str, path: str, headers: Mapping[str, str] = PAGE) -> tuple[Response, dict[str, str]]:
        """Return the answer, and its CORS headers by name."""
        path, _, query = path.partition("?")
        head = RequestHead(method, path, query, dict(headers), "192.0.2.1")
        answer = asyncio.run(self.handler.route(head).answer(b""))
        return answer, dict([line.split(": ", 1) for line in self.handler.cors(head).splitlines()])


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    grant = Grant("s-1", "shop", "databuddy", "website", frozenset())
    storage, directory = MemoryStorage(), DataDir(tmp_path)
    waiting = rejected_log(directory.rejected, 1 << 20, 60.0, pause=3600)
    handler = build_handler(
        Config(data=tmp_path),
        (browsee, databuddy),
        storage,
        Keyring(SALT, {digest(SALT, "databuddy", "website", SITE): grant}),
        admin=AdminApi(SqliteStore(directory), Admin(SALT, None)),
        rejected_log=waiting,
    )
    return Gateway(handler, storage, directory)


@pytest.mark.parametrize("path", PRIVATE)
def test_no_page_may_read_what_is_for_operators_and_probes(gateway: Gateway, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        answer, cors = gateway.ask(method, path, ASKING)
        assert (cors, [name for name in answer.headers if name.lower().startswith("access-control")]) == ({}, [])
    assert (answer.status, answer.headers) == (204, {"Allow": "GET, HEAD, OPTIONS"})


def test_any_page_may_load_the_script(gateway: Gateway) -> None:
    answer, cors = gateway.ask("GET", SHIM)
    assert (answer.status, answer.content_type, answer.headers) == (
        200,
        "text/javascript; charset=utf-8",
        {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"},
    )
    assert cors["Access-Control-Allow-Origin"] == "https://evil.example"
    granted, _ = gateway.ask("OPTIONS", SHIM, ASKING)
    assert "authorization" in granted.headers["Access-Control-Allow-Headers"]


def test_any_page_may_show_the_pixel(gateway: Gateway) -> None:
    for query in (f"?client_id={SITE}&name=seen", "?client_id=unknown", ""):
        answer, _ = gateway.ask("GET", PIXEL + query)
        assert (answer.status, answer.headers["Cross-Origin-Resource-Policy"]) == (200, "cross-origin")


@pytest.mark.parametrize(
    "path",
    [
        *("/-/healthy", "/-/ready", "/-/metrics", "/-/receipts/1", "/-/nothing", SHIM, "/", "/health"),
        *("/databuddy/health", f"{PIXEL}?client_id={SITE}&name=seen", f"{PIXEL}?client_id=unknown", PIXEL),
        *(f"/databuddy/{PIXEL}?client_id={SITE}&name=seen", f"{PIXEL}?client_id={SITE}&timestamp=soon"),
        *("/track", "/api/v1/track", "/nowhere"),
    ],
)
def test_head_is_answered_as_get_is(gateway: Gateway, path: str) -> None:
    head, head_cors = gateway.ask("HEAD", path)
    got, got_cors = gateway.ask("GET", path)
    assert (head_cors, head.status, head.content_type) == (got_cors, got.status, got.content_type)
    assert head.headers == {name: value for name, value in got.headers.items() if name != "X-Gateway-Receipt"}
    if path != "/-/metrics":  # which has counted something meanwhile
        assert head.body == got.body


def counted(gateway: Gateway) -> list[bytes]:
    """What the gateway has counted of requests, of all that it tells."""
    lines = (gateway.ask("GET", "/-/metrics")[0].body or b"").splitlines()
    return [line for line in lines if line.startswith((b"gateway_items", b"gateway_request"))]


def test_head_on_a_pixel_stores_keeps_and_counts_nothing(gateway: Gateway) -> None:
    before = counted(gateway)
    for query in (f"client_id={SITE}&name=seen", f"client_id={SITE}&timestamp=soon", "client_id=unknown", ""):
        gateway.ask("HEAD", f"{PIXEL}?{query}")
    assert counted(gateway) == before
    assert (gateway.storage.entries, list(rejected_requests(gateway.directory))) == ([], [])
    gateway.ask("GET", f"{PIXEL}?client_id={SITE}&name=seen")
    assert len(gateway.storage.bodies) == 1
    assert len([line for line in counted(gateway) if line not in before]) > 5


def test_a_method_that_a_path_does_not_have_is_told_head_beside_get(gateway: Gateway) -> None:
    assert gateway.ask("POST", "/-/ready")[0].headers == {"Allow": "GET, HEAD, OPTIONS"}
    assert gateway.ask("HEAD", "/api/v1/track")[0].headers == {"Allow": "POST, OPTIONS"}
    assert gateway.ask("OPTIONS", "/health", PAGE)[0].headers["Allow"] == "GET, HEAD, OPTIONS"
