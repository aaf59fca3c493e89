"""The plot of the page Overview in a real browser: under the strict policy, on a phone, renewed, and not needed."""

import asyncio
from typing import Any

import attrs
import pytest

from gateway.console.context import Console
from gateway.storage.contract import EventRow
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import entry, key
from tests.console.browser import Client
from tests.console.chromium import DESK, PHONE, Chromium

FIGURE = "#totals .figures div:first-child dd"
LABELS = "#plot .u-legend .u-label"
WIDTHS = "[document.querySelector('#plot canvas').clientWidth, document.getElementById('plot').clientWidth]"
PAINTED = """(() => {
    const canvas = document.querySelector("#plot canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 0);
})()"""
RENEW = "document.dispatchEvent(new Event('visibilitychange'))"


async def add(served: Console, dialect: str, *names: str) -> None:
    async with served.store.storage(StoreSettings()) as storage:
        rows = [EventRow(b'{"project":"p"}', key(name)) for name in names]
        one = entry(*rows, project="p")
        await storage.append(attrs.evolve(one, dialect=dialect, received_at=served.clock()))


@attrs.frozen
class Page:
    """The console in Chromium, whose commands block: each runs on a thread, beside the console's own loop."""

    chromium: Chromium
    url: str
    token: str

    async def do(self, command: str, *arguments: object) -> Any:
        return await asyncio.to_thread(self.chromium.do, command, *arguments)

    async def open(self, path: str, size: tuple[int, int], colours: str, *, scripts: bool = True) -> None:
        await self.do("open", *size, colours, scripts)
        await self.do("goto", f"{self.url}/login")
        await self.do("fill", "#token", self.token)
        await self.do("follow", "main button")
        await self.do("goto", self.url + path)


@pytest.fixture
def page(chromium: Chromium, client: Client, module_url: str, tokens: dict[str, str]) -> Page:
    return Page(chromium, str(client.make_url("/")).rstrip("/"), tokens[module_url])


@pytest.mark.parametrize(
    ("size", "colours", "span"), [(DESK, "light", "hour"), (DESK, "dark", "day"), (PHONE, "dark", "month")]
)
async def test_the_plot_is_drawn_under_the_strict_policy_and_fits(
    served: Console, page: Page, size: tuple[int, int], colours: str, span: str
) -> None:
    await add(served, "acme", "a")
    await add(served, "zeta", "z")
    await page.open(f"/overview?span={span}&project=p", size, colours)
    assert await page.do("texts", LABELS) == ["UTC", "acme", "zeta"]
    assert await page.do("value", PAINTED) is True
    canvas, box = await page.do("value", WIDTHS)
    assert canvas == box
    assert await page.do("overflow") == 0
    assert await page.do("noticed") == []


async def test_the_page_renews_its_numbers_and_keeps_what_a_reader_has_opened(served: Console, page: Page) -> None:
    await add(served, "acme", "r1")
    await page.open("/overview?project=p", DESK, "light")
    before = int(await page.do("text", FIGURE))
    await page.do("click", "details summary")
    await add(served, "new", "r2", "r3")
    await page.do("value", RENEW)
    await page.do("wait", f'{FIGURE}:text-is("{before + 2}")')
    assert "new" in await page.do("texts", LABELS)
    assert await page.do("value", "document.querySelector('details').open") is True
    assert await page.do("noticed") == []


async def test_without_scripts_there_is_the_table(served: Console, page: Page) -> None:
    await add(served, "acme", "s1")
    await page.open("/overview?project=p", PHONE, "light", scripts=False)
    await page.do("click", "details summary")
    head, *rows = (await page.do("text", "#events table")).splitlines()
    assert "acme" in head
    assert len(rows) >= 60
    assert await page.do("overflow") == 0
