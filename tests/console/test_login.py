"""Logging in and out, as a browser and as a stranger."""

import re

import pytest

from gateway.console.context import Console
from gateway.console.sessions import LINK_MS, SESSION_MS
from tests.console.browser import Browser, Client
from tests.console.conftest import Clock

pytestmark = pytest.mark.parametrize("module_url", ["sqlite"], indirect=True, scope="module")
COOKIE = r"gateway_console=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=Strict"


@pytest.fixture
def stranger(client: Client) -> Browser:
    return Browser(client)


@pytest.fixture
def token(tokens: dict[str, str], module_url: str, served: Console) -> str:
    return tokens[module_url]


async def test_a_stranger_is_sent_to_the_login_and_then_to_where_it_wanted_to_go(stranger: Browser, token: str) -> None:
    sent = await stranger.get("/quarantine?project=a%26b")
    assert (sent.status, sent.location) == (303, "/login?next=%2Fquarantine%3Fproject%3Da%2526b")
    page = await stranger.page(str(sent.location))
    assert 'name="next" value="/quarantine?project=a%26b"' in page
    answer = await stranger.post("/login", {"token": token, "next": "/quarantine?project=a%26b"})
    assert (answer.status, answer.location) == (303, "/quarantine?project=a%26b")
    assert re.fullmatch(COOKIE, answer.headers["Set-Cookie"])
    assert "<h1>Quarantine" in await stranger.page(str(answer.location))


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/\n/x", "x"]
)
async def test_a_login_leads_to_no_other_site(stranger: Browser, token: str, elsewhere: str) -> None:
    answer = await stranger.post("/login", {"token": token, "next": elsewhere})
    assert (answer.status, answer.location) == (303, "/")


async def test_a_link_logs_in_once_and_looking_at_it_does_not_use_it_up(served: Console, stranger: Browser) -> None:
    link = served.access.make_link()
    for _ in range(2):
        page = await stranger.page(f"/login?link={link}")
        assert f'name="link" value="{link}"' in page
    answer = await stranger.post("/login", {"link": link})
    assert (answer.status, answer.location) == (303, "/")
    assert re.fullmatch(COOKIE, answer.headers["Set-Cookie"])
    other = await stranger.post("/login", {"link": link})
    assert (other.status, "Set-Cookie" in other.headers, "was used already" in other.text) == (403, False, True)


async def test_a_link_that_is_too_old_or_made_up_is_told_so(served: Console, stranger: Browser, clock: Clock) -> None:
    link = served.access.make_link()
    clock.ahead = LINK_MS
    for each in (link, "made-up", '"><script>alert(1)</script>'):
        page = (await stranger.get("/login?" + "link=" + each.replace('"', "%22"))).text
        assert ("was used already, or is older than ten minutes" in page, "made-up" in page) == (True, False)
        assert "<script>alert" not in page
        assert (await stranger.post("/login", {"link": each})).status == 403


async def test_five_wrong_tokens_lock_the_login_and_the_api_together(stranger: Browser, token: str) -> None:
    for _ in range(3):
        answer = await stranger.post("/login", {"token": "wrong"})
        assert (answer.status, "This is not the admin token." in answer.text) == (403, True)
    for _ in range(2):
        tried = await stranger.get("/api/overview", Authorization="Bearer wrong")
        assert (tried.status, tried.text) == (401, '{"error":"this is not the admin token"}')
    answer = await stranger.post("/login", {"token": token})
    assert (answer.status, int(answer.headers["Retry-After"]) in range(50, 61)) == (429, True)
    tried = await stranger.get("/api/overview", Authorization=f"Bearer {token}")
    assert (tried.status, tried.headers["Retry-After"].isdigit()) == (429, True)


async def test_who_is_logged_in_stays_so_while_strangers_try_tokens(console: Browser, clock: Clock) -> None:
    for _ in range(6):
        await console.get("/api/overview", Authorization="Bearer wrong")
    assert (await console.get("/api/overview")).status == 200
    clock.ahead = 61_000
    assert (await console.get("/api/overview", Authorization="Bearer wrong")).status == 401


async def test_a_session_ends_by_logging_out(console: Browser) -> None:
    answer = await console.post("/logout")
    assert (answer.status, answer.location) == (303, "/login")
    assert 'gateway_console=""' in answer.headers["Set-Cookie"]
    assert (await console.get("/overview")).location == "/login?next=%2Foverview"


async def test_a_session_ends_after_twelve_hours(console: Browser, clock: Clock) -> None:
    clock.ahead = SESSION_MS
    assert (await console.get("/overview")).location == "/login?next=%2Foverview"


async def test_a_new_admin_token_ends_every_session(console: Browser, served: Console, tokens: dict[str, str]) -> None:
    async with served.store.keys() as keys:
        made = await keys.new_admin_token()
    for url in tokens:
        tokens[url] = made
    deadline = 200
    while (await console.get("/overview")).status == 200:
        deadline -= 1
        assert deadline, "the console does not follow the admin token"
    assert (await console.post("/login", {"token": made})).status == 303


async def test_the_login_of_who_is_logged_in_leads_to_the_first_page(console: Browser) -> None:
    assert (await console.get("/login")).location == "/"
    assert (await console.get("/")).location == "/start"  # nothing is stored yet
