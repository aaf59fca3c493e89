"""A person's way in a real Chromium: from the link that the first start prints to the replay of a quarantined item."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.console import picture
from tests.console.chromium import DESK, PHONE, Chromium
from tests.console.processes import LINK
from tests.kit.serving import PATIENCE, Served, serving

CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CONFIG = "[projects.default]\nfilter_bots = true\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "gateway.toml").write_text(CONFIG)
    arguments = ("--console", "127.0.0.1:0", "--config", str(tmp_path / "gateway.toml"))
    with serving(tmp_path / "data", *arguments) as running:
        yield running


def track(served: Served, key: str, agent: str = "shop/1.0", **event: object) -> int:
    """Send one event to Tranthor's endpoint for batches."""
    body = {"batch": [{"type": "track", "userId": "u-1", **event}]}
    headers = {"Authorization": f"Basic {key}", "User-Agent": agent, "Sec-Fetch-Site": "same-origin"}
    url = f"{served.url}/api/public/apps/batch"
    return requests.post(url, json=body, headers=headers, timeout=PATIENCE).status_code


def test_the_whole_way_from_the_first_start_to_a_replay(served: Served, chromium: Chromium) -> None:
    [(url, link)] = LINK.findall(served.greeting)

    def visit(page: str) -> None:
        chromium.do("follow", f'header nav a[href="/{page}"]')
        assert chromium.do("url").partition("?")[0] == f"{url}/{page}"

    chromium.open()
    chromium.goto(f"{url}/login?link={link}")
    chromium.do("follow", "main button")
    assert chromium.do("url") == f"{url}/start"

    chromium.do("follow", 'main a[href*="dialect=tranthor"]')
    chromium.do("follow", 'main form[action="/start"] button')
    [key] = re.findall(r"\btrn_\w+", chromium.do("text", "main .copyable pre"))
    setting = chromium.do("texts", "main .copyable pre")[1]
    assert (f"Basic {key}" in setting, served.url in setting) == (True, True)
    chromium.do("wait", '[data-state="waiting"]:not([hidden])')
    while (
        track(served, key, messageId="m-1", event="Signed Up") == 401
    ):  # the server takes a new key up within two seconds
        pass
    chromium.do("wait", '[data-state="stored"]:not([hidden])')

    visit("overview")
    assert re.search(r"stored\s*1\b", chromium.do("text", "main"), re.IGNORECASE)

    assert track(served, key, messageId="Broken") == 204
    assert track(served, key, CRAWLER, messageId="m-2", event="Crawled") == 204
    visit("quarantine")
    assert len(chromium.do("texts", "main tbody tr")) == 2
    chromium.do("follow", "main tbody tr:has(.badge) a")
    chromium.do("follow", "main tbody a")
    assert "Crawled" in chromium.do("text", "main")
    chromium.do("follow", 'main form[action$="/replay"] button')
    assert chromium.do("text", ".notice.good").endswith("1 stored, 0 already stored, 0 failed again")

    chromium.do("follow", "main tbody tr a")
    chromium.do("follow", "main tbody a")
    chromium.do("follow", 'main form[action$="/replay"] button')
    assert "failed again" in chromium.do("text", ".notice.bad")

    visit("events")
    names = chromium.do("text", "main")
    assert [name in names for name in ("Signed Up", "Crawled", "Broken")] == [True, True, False]
    chromium.do("follow", "header form button")
    assert chromium.do("url") == f"{url}/login"
    assert chromium.do("noticed") == []
    assert served.stop() == 0


def test_the_picture_of_the_readme_can_be_taken(chromium: Chromium, tmp_path: Path) -> None:
    picture.take(chromium, tmp_path, tmp_path / "console.png")
    assert chromium.do("noticed") == []
    assert picture.size_of(tmp_path / "console.png") == picture.size_of(picture.PICTURE) == picture.SIZE


@pytest.mark.parametrize(("size", "colours"), [(DESK, "dark"), (PHONE, "light")], ids=["dark", "phone"])
def test_it_works_by_keyboard_and_without_scripts(
    served: Served, chromium: Chromium, size: tuple[int, int], colours: str
) -> None:
    [(url, link)] = LINK.findall(served.greeting)
    chromium.open(size, colours, scripts=False)
    chromium.goto(f"{url}/login?link={link}")
    chromium.do("wait", "main button:focus")
    chromium.do("press", "Enter")
    chromium.do("wait", "header nav")
    chromium.do("press", "Tab")
    assert chromium.do("focused") == "Skip to the content"
    chromium.do("press", "Tab")
    chromium.do("press", "Tab")
    assert chromium.do("focused") == "Start"
    chromium.do("press", "Tab")
    assert chromium.do("focused") == "Overview"
    chromium.do("press", "Enter")
    chromium.do("wait", 'header nav a[href="/overview"][aria-current]')
    assert (chromium.do("url"), chromium.do("overflow"), chromium.do("noticed")) == (f"{url}/overview", 0, [])
