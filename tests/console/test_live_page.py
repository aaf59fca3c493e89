"""The page Live in a real Chromium: rows that arrive, a pause, the detail of a click; and the page without scripts."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.console.chromium import PHONE, Chromium
from tests.console.processes import LINK
from tests.kit.serving import PATIENCE, Served, serving

FIRST = "#live-rows tr:nth-child(1)"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("live")
    (folder / "gateway.toml").write_text("[storage]\nkeep_raw_days = 1\n")
    arguments = ("--console", "127.0.0.1:0", "--config", str(folder / "gateway.toml"))
    with serving(folder / "data", *arguments) as running:
        yield running


def send(served: Served, message_id: str, event: str | None) -> None:
    """Send an event; one without a name is quarantined."""
    [key] = set(re.findall(r"\btrn_\w+", served.greeting))
    named = {} if event is None else {"event": event}
    body = {"batch": [{"type": "track", "userId": "u-1", "messageId": message_id, **named}]}
    answer = requests.post(
        f"{served.url}/api/public/apps/batch", json=body, headers={"Authorization": f"Basic {key}"}, timeout=PATIENCE
    )
    assert answer.status_code == 204


def test_what_arrives_is_shown_as_it_arrives(served: Served, chromium: Chromium) -> None:
    [(url, _)] = LINK.findall(served.greeting)

    def log_in(*, scripts: bool) -> None:
        chromium.open(PHONE, "dark", scripts=scripts)
        chromium.goto(f"{url}/login")
        chromium.do("fill", "#token", next(word for word in served.greeting.split() if word.startswith("admin_")))
        chromium.do("follow", "main button")

    log_in(scripts=True)
    chromium.goto(f"{url}/live")
    chromium.do("wait", ".light.on")
    assert chromium.do("text", "#live-empty") == "Nothing has arrived yet. Send the first event"
    send(served, "m-1", "<b>Signed Up</b>")
    chromium.do("wait", f"{FIRST}:has-text('<b>Signed Up</b>')")

    chromium.do("click", f"{FIRST} a")
    chromium.do("wait", "dialog[open]")
    parts = [chromium.do("text", f"#live-{part}") for part in ("title", "event", "request", "answer", "receipt")]
    for text, part in zip(
        parts, ("<b>Signed Up</b>", '"user_id": "u-1"', "POST /api/public/apps/batch", "204", '"stored"'), strict=True
    ):
        assert part in text
    chromium.do("press", "Escape")

    chromium.do("click", "#live-pause")
    send(served, "m-2", None)
    chromium.do("wait", "#live-text:has-text('1 came in meanwhile')")
    assert chromium.do("texts", "#live-rows .badge") == []
    chromium.do("click", "#live-pause")
    chromium.do("wait", f"{FIRST} .badge.quarantined")
    assert "/event is missing" in chromium.do("text", FIRST)
    assert (chromium.do("overflow"), chromium.do("noticed")) == (0, [])

    log_in(scripts=False)
    chromium.goto(f"{url}/live?verdict=stored")
    [row] = chromium.do("texts", "#live-rows tr")
    assert "<b>Signed Up</b>" in row
    chromium.do("follow", f"{FIRST} a")
    assert chromium.do("text", "h1") == "<b>Signed Up</b>"
