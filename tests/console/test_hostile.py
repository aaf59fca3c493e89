"""Everything hostile that clients can send, stored on each engine, looked at on every page in a real Chromium."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest

from tests.console.chromium import DESK, PHONE, Chromium
from tests.console.hostile import send
from tests.console.processes import LINK
from tests.faults.traffic import keys_of
from tests.kit.serving import Served, serving

EACH = 4
"""So many pages of a kind are looked at: those whose paths begin alike."""
MOST = 60


@pytest.fixture(scope="module")
def attacked(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway with a console, which has been sent all of it."""
    folder = tmp_path_factory.mktemp("attacked")
    with serving(folder / "data", "--console", "127.0.0.1:0", storage=module_url) as served:
        send(served, keys_of(served.greeting))
        yield served
        assert served.stop() == 0


def kind_of(path: str) -> str:
    """Return how a page's path begins, with one letter for the rest."""
    first, *more = path.strip("/").split("/")
    return f"{first}/{len(more)}"


def pages_from(chromium: Chromium, url: str) -> Iterator[str]:
    """Open one page after the other, by the links of those before; yield the path of each."""
    waiting, seen, kinds = ["/"], {"/"}, Counter[str]()
    while waiting and len(seen) <= MOST:
        path = waiting.pop(0)
        assert chromium.goto(url + path) == 200, path
        yield path
        for link in chromium.do(
            "value", "[...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'))"
        ):
            there = urljoin(chromium.do("url"), link)
            assert there.startswith(f"{url}/"), (path, link)  # a link of a page that leads elsewhere
            its = there.removeprefix(url).partition("#")[0]
            kind = kind_of(urlsplit(its).path)
            if its not in seen and kinds[kind] < EACH:
                seen.add(its)
                kinds[kind] += 1
                waiting.append(its)


def test_nothing_that_clients_sent_runs_or_is_loaded_on_any_page(
    attacked: Served, chromium: Chromium, module_url: str
) -> None:
    [(url, _)] = LINK.findall(attacked.greeting)
    # What is shown does not depend on the engine: so each size once.
    if module_url.startswith("sqlite:"):
        chromium.open(PHONE, "dark")
    else:
        chromium.open(DESK, "light")
    assert chromium.goto(f"{url}/login") == 200
    chromium.do("fill", "#token", next(word for word in attacked.greeting.split() if word.startswith("admin_")))
    chromium.do("follow", "main button")
    looked_at = []
    for path in pages_from(chromium, url):
        ran = chromium.do("value", "[window.ran ?? null, document.querySelectorAll('main script, main iframe').length]")
        assert (ran, chromium.do("noticed")) == ([None, 0], []), path
        assert chromium.do("overflow") == 0, f"{path} is wider than the window"
        looked_at.append(kind_of(path))
    assert {"overview/0", "live/0", "events/0", "quarantine/0", "rejected/0", "keys/0"} <= set(looked_at)


def test_what_clients_sent_is_shown_as_it_is(attacked: Served, chromium: Chromium) -> None:
    [(url, _)] = LINK.findall(attacked.greeting)
    shown = chromium.do("text", "main") if chromium.goto(f"{url}/events") == 200 else ""
    for text in (
        "<script>window.ran = 'script'</script>",
        "{{ 7*7 }}",
        "\\u202egnp.exe\\u2066\\u200b",
        "\\u001b[31mred",
    ):
        assert text in shown
