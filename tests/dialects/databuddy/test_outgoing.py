"""`/outgoing` without a client id: an Origin that exactly one site admits decides whose the click is."""

import asyncio
import json
from pathlib import Path

import pytest

from dialects.databuddy import dialect
from gateway.app import build_handler
from gateway.config import Config
from gateway.datadir import DataDir
from gateway.http.handler import RequestHead
from gateway.storage.sqlite.keys.key_file import KeyFile
from gateway.storage.sqlite.read.rejected import rejected_requests
from gateway.storage.sqlite.rejected_file import rejected_log
from gateway.testing.memory import MemoryStorage

SHOP, BLOG = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
CLICK = b'{"href":"https://x.example/","text":"X"}'
STORED = (200, {"status": "success", "type": "outgoing_link"})
Outcome = tuple[tuple[int, object], list[tuple[str, object]], list[tuple[object, object]]]
MISSING = (400, {"status": "error", "message": "Missing client ID"})


def click(
    folder: Path, origin: str | None, *, body: bytes = CLICK, path: str = "/outgoing", query: str = ""
) -> Outcome:
    """Send one click; return the answer, whose event it became and of which site, and whose rejected request."""
    headers = {} if origin is None else {"origin": origin}
    storage = MemoryStorage()
    waiting = rejected_log(DataDir(folder).rejected, 1 << 20, 60.0, pause=3600)
    website = dialect.kinds[1]
    with KeyFile.open(folder / "keys.db", make=True) as keys:
        keys.add("shop", dialect, website, now=1, value=SHOP, origins=["shop.example", "both.example"])
        keys.add("blog", dialect, website, now=1, value=BLOG, origins=["blog.example", "both.example"])
        keyring = keys.load()

    async def sent() -> tuple[int, bytes]:
        handler = build_handler(Config(), (dialect,), storage, keyring, new_id=lambda _: "id", rejected_log=waiting)
        async with waiting.running():
            answer = await handler.route(RequestHead("POST", path, query, headers, "192.0.2.1")).answer(body)
        return answer.status, answer.body or b""

    status, told = asyncio.run(sent())
    events = [json.loads(each) for each in storage.bodies]
    kept = [(row["project"], row["reason"]) for row in rejected_requests(DataDir(folder))]
    return (status, json.loads(told)), [(each["project"], each["context"].get("app")) for each in events], kept


@pytest.mark.parametrize(
    ("origin", "project", "site"),
    [
        ("https://shop.example", "shop", SHOP),
        ("https://www.shop.example:8443", "shop", SHOP),
        ("http://a.blog.example", "blog", BLOG),
    ],
)
def test_an_origin_that_one_site_admits_decides(tmp_path: Path, origin: str, project: str, site: str) -> None:
    assert click(tmp_path, origin) == (STORED, [(project, {"id": site})], [])


@pytest.mark.parametrize("origin", ["https://both.example", "https://other.example", "null", "", None])
def test_any_other_origin_leaves_the_client_id_missing(tmp_path: Path, origin: str | None) -> None:
    assert click(tmp_path, origin) == (MISSING, [], [(None, "no_credential")])


def test_a_client_id_goes_before_the_origin(tmp_path: Path) -> None:
    assert click(tmp_path, "https://both.example", query=f"client_id={BLOG}") == (STORED, [("blog", {"id": BLOG})], [])
    unknown = (400, {"status": "error", "message": "Invalid or inactive client ID"})
    answer, stored, _ = click(tmp_path, "https://shop.example", query="client_id=unknown")
    assert (answer, stored) == (unknown, [])


def test_a_bad_click_is_its_projects(tmp_path: Path) -> None:
    invalid = (400, {"status": "error", "message": "Invalid event schema"})
    assert click(tmp_path, "https://shop.example", body=b'{"text":"X"}') == (invalid, [], [("shop", "invalid")])


def test_no_other_route_goes_by_the_origin(tmp_path: Path) -> None:
    assert click(tmp_path, "https://shop.example", path="/") == (MISSING, [], [(None, "no_credential")])
