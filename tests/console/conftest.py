"""The console in this process, on a store of each engine that a module's tests share. No gateway serves the store.

    async def test_a_page_shows_something(console: Browser) -> None:
        assert "something" in await console.page("/overview")

`served` is the Console itself, with its store and its clock; `api` sends the admin token.
"""

from collections.abc import Iterator
from contextlib import nullcontext

import attrs
import pytest
from pytest_aiohttp import AiohttpClient

from gateway.config import Config
from gateway.console.application import application, open_console
from gateway.console.context import Console
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from tests.console.browser import Api, Browser, Client
from tests.console.chromium import Chromium, running

INGESTION = "http://127.0.0.1:9"  # where nothing answers, on a machine that runs a gateway too


@attrs.define
class Clock:
    """A clock that tests set. It begins at the real time, so that what they store is of today."""

    ahead: int = 0

    def __call__(self) -> int:
        from gateway.clock import now

        return now() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    """The admin token of each store of the module, by its URL."""
    return {}


@pytest.fixture
async def served(module_url: str, tokens: dict[str, str], clock: Clock) -> Console:
    """A console of the module's store."""
    store = open_store(module_url)
    if module_url not in tokens:
        with nullcontext() if store.directory is None else store.directory.lock():
            await store.prepare()
            async with store.storage(StoreSettings()):
                pass
        async with store.keys(make=True) as keys:
            tokens[module_url] = await keys.new_admin_token()
    return await open_console(Config(), store, INGESTION, clock)


@pytest.fixture
async def client(served: Console, aiohttp_client: AiohttpClient) -> Client:
    """A client that is not logged in."""
    return await aiohttp_client(application(served))


@pytest.fixture
async def console(client: Client, module_url: str, tokens: dict[str, str]) -> Browser:
    """A browser that is logged in."""
    browser = Browser(client)
    answer = await browser.post("/login", {"token": tokens[module_url]})
    assert answer.status == 303, answer
    await browser.page("/overview")
    return browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A real browser."""
    with running() as browser:
        yield browser


@pytest.fixture
def api(client: Client, module_url: str, tokens: dict[str, str]) -> Api:
    """A program that has the admin token."""
    return Api(client, tokens[module_url])
