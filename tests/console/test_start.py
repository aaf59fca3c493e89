"""The page Start and its JSON: the lines of each SDK, a key made on the spot, the light. On a store of each engine."""

import re
from html import unescape

import attrs
import jsonschema
import pytest

from gateway.console.context import Console
from gateway.console.pages.start import SCHEMA
from gateway.dialect.outcome import Outcome, Verdict
from gateway.ingest.registry import discover
from gateway.storage.contract import Entry
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import entry, row
from gateway.testing.engine.given.rejections import rejection
from gateway.testing.engine.given.toy import TOY
from tests.console.browser import Api, Browser

HOSTILE = '"><img src=x onerror=alert(1)>'


async def looked(api: Api, project: str, since: str = "") -> tuple[str, str]:
    """Return what has come since a look, and what to give to the next look."""
    found = await api.get(f"/api/start?dialect=tranthor&project={project}&since={since}")
    jsonschema.validate(found, SCHEMA)
    return found["arrived"], found["since"]


async def keep(served: Console, given: Entry) -> None:
    async with served.store.storage(StoreSettings()) as storage:
        await storage.append(attrs.evolve(given, dialect="tranthor"))


async def test_each_dialect_has_the_lines_to_change(api: Api) -> None:
    found = await api.get("/api/start")
    jsonschema.validate(found, SCHEMA)
    assert [each["name"] for each in found["dialects"]] == [dialect.name for dialect in discover()]
    [line] = [each["setting"] for each in found["dialects"] if each["name"] == "tranthor"]
    assert line == 'await TranthorSdk.init({ writeKey: "Basic YOUR-KEY", host: "http://127.0.0.1:9" });'


async def test_a_key_is_made_on_the_spot_and_shown_once(console: Browser, served: Console) -> None:
    await console.page("/start?dialect=tranthor")
    answer = await console.post("/start", {"dialect": "tranthor", "project": "spot"})
    assert (answer.status, answer.location) == (200, None)
    found = re.search(r'writeKey: "Basic (\w+)"', unescape(answer.text))
    assert found is not None
    async with served.store.keys() as keys:
        grant = (await keys.load()).find("tranthor", "write_key", found[1])
    assert grant is not None
    assert grant.project == "spot"
    [again] = re.findall(r'data-again="([^"]+)"', answer.text)
    later = await console.page(unescape(again))
    assert (found[1] in later, "Basic YOUR-KEY" in unescape(later)) == (False, True)


async def test_a_project_that_cannot_be_is_told_on_the_page(console: Browser) -> None:
    await console.page("/start")
    answer = await console.post("/start", {"dialect": "tranthor", "project": HOSTILE})
    assert (answer.status, "is not a valid project name" in answer.text, "<img" in answer.text) == (400, True, False)
    assert (await console.post("/start", {"dialect": "nobody"})).status == 400
    assert "<img" not in await console.page(f"/start?project={HOSTILE}")


async def test_the_light_turns_green_with_the_first_event(api: Api, console: Browser, served: Console) -> None:
    state, since = await looked(api, "lit")
    assert state == "waiting"
    await keep(served, entry(row("elsewhere", "other"), project="other"))
    assert await looked(api, "lit", since) == ("waiting", since)
    await keep(served, entry(row("first", "lit"), project="lit"))
    assert await looked(api, "lit", since) == ("stored", since)
    text = await console.page(f"/start?dialect=tranthor&project=lit&since={since}")
    assert '<p data-state="stored">' in text
    assert '<p data-state="waiting" hidden>' in text
    state, since = await looked(api, "lit")
    await keep(served, entry(row("first", "lit"), project="lit"))
    assert await looked(api, "lit", since) == ("duplicate", since)


async def test_the_light_says_where_something_went_that_is_no_event(api: Api, served: Console) -> None:
    _, since = await looked(api, "unlit")
    refused = served.store.rejected_log(StoreSettings())
    async with refused.running():
        refused.add(attrs.evolve(rejection(None), dialect=attrs.evolve(TOY, name="tranthor")))
    assert await looked(api, "unlit", since) == ("rejected", since)
    invalid = attrs.evolve(entry(project="unlit"), outcomes=(Outcome(Verdict.REJECTED, "m-1"),))
    _, since = await looked(api, "unlit")
    await keep(served, invalid)
    assert await looked(api, "unlit", since) == ("rejected", since)


@pytest.mark.parametrize("query", ["since=1", "since=a-b-c-d-e", f"since={'1-' * 60}1", "dialect=nobody"])
async def test_nonsense_is_refused_in_one_line(query: str, api: Api) -> None:
    status, found = await api.send("GET", f"/api/start?{query}")
    assert (status, list(found)) == (400, ["error"])
