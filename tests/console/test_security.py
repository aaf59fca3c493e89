"""What every request passes and every answer has. docs/security.md names these tests."""

import asyncio
import json

import pytest
from aiohttp import web
from aiohttp_jinja2 import get_env
from pytest_aiohttp import AiohttpClient

from gateway.config import Config, ServerSettings
from gateway.console import security
from gateway.console.application import application, open_console
from gateway.console.context import Console
from gateway.console.page import SESSION, streaming
from gateway.store_error import StoreError
from tests.console.browser import Api, Browser, Client

pytestmark = pytest.mark.parametrize("module_url", ["sqlite"], indirect=True, scope="module")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.fixture
def stranger(client: Client) -> Browser:
    return Browser(client)


async def test_the_policy_is_on_every_answer(console: Browser, stranger: Browser) -> None:
    answers = [
        await console.get("/overview"),
        await console.get("/"),
        await console.get("/api/overview"),
        await console.get("/nothing"),
        await console.get("/api/nothing"),
        await console.get("/assets/console.css"),
        await console.get("/assets/nothing.css"),
        await console.get("/assets/../security.py"),
        await console.get("/overview", Expect="nothing"),
        await console.get("/overview", Host="evil.example"),
        await console.post("/overview"),
        await console.post("/login", {"token": "x" * 70_000}),
        await stranger.get("/login"),
    ]
    assert [answer.status for answer in answers] == [200, 303, 200, 404, 404, 200, 404, 404, 417, 421, 405, 413, 303]
    for answer in answers:
        held = {name: answer.headers.get(name) for name in security.HEADERS}
        assert held == {**security.HEADERS, "Content-Security-Policy": POLICY}
        assert answer.headers["Cache-Control"] in ("no-store", "no-cache")


async def test_an_asset_may_be_kept_for_ever_under_its_digest_only(console: Browser) -> None:
    page = await console.page("/overview")
    named = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    answer = await console.get(named)
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    again = await console.get("/assets/console.css", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.text, again.headers["Content-Security-Policy"]) == (304, "", POLICY)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8081", "127.0.0.1", "[::1]:1", "LOCALHOST.", "a.example", "collect.example:444"]
)
async def test_the_hosts_that_are_loopbacks_or_configured_are_answered(
    module_url: str, served: Console, aiohttp_client: AiohttpClient, host: str
) -> None:
    settings = ServerSettings(console_hosts=("a.example",), public_url="https://collect.example")
    other = await open_console(Config(server=settings), served.store, served.url)
    stranger = Browser(await aiohttp_client(application(other)))
    assert (await stranger.get("/login", Host=host)).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1", "", "a b", "[::2]", "@"]
)
async def test_any_other_host_is_refused(stranger: Browser, host: str) -> None:
    answer = await stranger.get("/login", Host=host)
    said = "unknown host name; server.console_hosts lists further ones\n"
    assert (answer.status, answer.text) == (421, said)


async def test_the_api_takes_the_admin_token_or_the_cookie_and_nothing_else(
    stranger: Browser, api: Api, console: Browser
) -> None:
    assert isinstance(await api.get("/api/overview"), dict)
    assert (await console.get("/api/overview")).status == 200
    await console.post("/logout")
    for headers in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer"}, {"Cookie": "gateway_console=x"}):
        answer = await stranger.get("/api/overview", **headers)
        assert (answer.status, list(json.loads(answer.text))) == (401, ["error"])
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_admin_token_opens_no_page(client: Client, api: Api) -> None:
    answer = await Browser(client).get("/overview", Authorization=f"Bearer {api.token}")
    assert (answer.status, answer.location) == (303, "/login?next=%2Foverview")


async def test_a_change_needs_the_csrf_token_of_its_session(console: Browser) -> None:
    for fields in ({"csrf": ""}, {"csrf": "x"}, {"csrf": console.csrf[:-1]}, {"csrf": "é"}):
        answer = await console.post("/logout", fields)
        assert (answer.status, "this form is too old" in answer.text) == (403, True)
    for headers in ({}, {"X-CSRF-Token": "x"}):
        answer = await console.post("/api/nothing", **headers)
        assert (answer.status, "this form is too old" in answer.text) == (403, True)
    assert (await console.post("/api/nothing", **{"X-CSRF-Token": console.csrf})).status == 404
    assert (await console.post("/logout")).status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    ],
    ids=str,
)
async def test_a_change_that_another_site_asks_for_is_refused_also_a_login(
    console: Browser, headers: dict[str, str]
) -> None:
    for path in ("/logout", "/login", "/api/overview"):
        answer = await console.post(path, {"token": "wrong"}, **headers)
        assert (answer.status, "asked for by another site" in answer.text) == (403, True)


async def test_own_pages_may_ask_for_changes_whatever_the_browser_tells_of_them(console: Browser) -> None:
    host = f"{console.client.host}:{console.client.port}"
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "null"}, {"Origin": f"http://{host}"}):
        assert (await console.post("/overview", **headers)).status == 405


async def test_only_forms_change_pages(console: Browser) -> None:
    for content_type in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        answer = await console.post("/logout", **{"Content-Type": content_type})
        assert answer.status == 415, content_type
    broken = await console.post("/logout", **{"Content-Type": "application/x-www-form-urlencoded; charset=nothing"})
    assert (broken.status, "the form cannot be read" in broken.text) == (400, True)


@pytest.mark.parametrize(
    ("headers", "trusted", "is_secure"),
    [
        ({}, True, False),
        ({"X-Forwarded-Proto": "https"}, True, True),
        ({"X-Forwarded-Proto": "http, HTTPS"}, True, True),
        ({"X-Forwarded-Proto": "https, http"}, True, False),
        ({"X-Forwarded-Proto": "https"}, False, False),
    ],
)
async def test_the_cookie_is_secure_where_a_trusted_proxy_was_asked_by_https(
    served: Console,
    aiohttp_client: AiohttpClient,
    tokens: dict[str, str],
    module_url: str,
    headers: dict[str, str],
    trusted: bool,
    is_secure: bool,
) -> None:
    from ipaddress import ip_network

    proxies = (ip_network("127.0.0.0/8"),) if trusted else ()
    other = await open_console(Config(server=ServerSettings(trusted_proxies=proxies)), served.store, served.url)
    browser = Browser(await aiohttp_client(application(other)))
    answer = await browser.post("/login", {"token": tokens[module_url]}, **headers)
    assert ("; Secure" in answer.headers["Set-Cookie"]) is is_secure


async def fails(_request: web.Request) -> web.Response:
    raise RuntimeError("a bug with <b>a client's words</b>")


async def unreadable(_request: web.Request) -> web.Response:
    raise StoreError("the store is <b>away</b>\u202e and\nback")


async def test_what_goes_wrong_is_one_line_as_a_page_and_as_json(
    served: Console, aiohttp_client: AiohttpClient, tokens: dict[str, str], module_url: str
) -> None:
    app = application(served)
    app.add_routes([web.get("/fails", fails), web.get("/api/fails", fails)])
    app.add_routes([web.get("/away", unreadable), web.get("/api/away", unreadable)])
    browser = Browser(await aiohttp_client(app))
    await browser.post("/login", {"token": tokens[module_url]})
    page, line = await browser.get("/fails"), "internal error; the log of the console says more"
    assert (page.status, line in page.text, "words" in page.text) == (500, True, False)
    answer = await browser.get("/api/fails")
    assert (answer.status, json.loads(answer.text)) == (500, {"error": line})
    page = await browser.get("/away")
    assert (page.status, "the store is &lt;b&gt;away&lt;/b&gt;\\u202e and back" in page.text) == (503, True)
    answer = await browser.get("/api/away")
    assert (answer.status, json.loads(answer.text)) == (503, {"error": "the store is <b>away</b>\\u202e and back"})
    assert answer.headers["Retry-After"] == "5"


async def test_so_many_requests_read_the_store_at_once_and_one_that_streams_takes_no_place(
    served: Console, aiohttp_client: AiohttpClient, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "PLACE_SECONDS", 0.2)
    monkeypatch.setattr(security, "REQUEST_SECONDS", 2.0)
    going, most = 0, 0
    full, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        nonlocal going, most
        going += 1
        most = max(most, going)
        if going == security.READERS:
            full.set()
        await go_on.wait()
        going -= 1
        return web.Response(text="done")

    @streaming
    async def stream(_request: web.Request) -> web.Response:
        return web.Response(text="streamed")

    app = application(served)
    app.add_routes([web.get("/api/slow", slow), web.get("/api/stream", stream)])
    client = await aiohttp_client(app)
    headers = {"Authorization": f"Bearer {api.token}"}
    waiting = [asyncio.create_task(client.get("/api/slow", headers=headers)) for _ in range(security.READERS)]
    await full.wait()
    refused = await client.get("/api/slow", headers=headers)
    assert (refused.status, await refused.json()) == (503, {"error": "too many pages are being read at once"})
    assert refused.headers["Retry-After"] == "2"
    assert (await client.get("/api/stream", headers=headers)).status == 200
    go_on.set()
    assert [(await task).status for task in waiting] == [200] * security.READERS
    assert most == security.READERS
    go_on.clear()
    late = await client.get("/api/slow", headers=headers)
    assert (late.status, await late.json()) == (503, {"error": "this took longer than 2 s"})


async def test_notices_are_shown_once_as_text(
    served: Console, aiohttp_client: AiohttpClient, tokens: dict[str, str], module_url: str
) -> None:
    async def notes(request: web.Request) -> web.Response:
        request[SESSION].notice("<b>x</b>\u202e")
        return web.Response()

    app = application(served)
    app.add_routes([web.get("/notes", notes)])
    assert get_env(app).autoescape is True
    browser = Browser(await aiohttp_client(app))
    await browser.post("/login", {"token": tokens[module_url]})
    await browser.get("/notes")
    shown = '<p class="notice good" role="status">&lt;b&gt;x&lt;/b&gt;\\u202e</p>'
    assert [shown in await browser.page("/overview") for _ in range(2)] == [True, False]
