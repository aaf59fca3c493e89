"""The page Live: the newest of everything that arrived, and the stream of what arrives."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
from aiohttp import ClientResponse
from jsonschema import Draft202012Validator

from gateway.console.context import Console
from gateway.console.pages.live import NEWEST
from gateway.operate.live import feed
from gateway.operate.live.listener import MOST_ROWS, MOST_WAITING, Batch
from gateway.operate.live.rows import LiveFilter
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import entry
from gateway.testing.engine.given.lines import START, line
from gateway.testing.engine.given.rejections import rejection
from tests.console.browser import Api, Browser, Client

PATIENCE = 20.0
HOSTILE = "<img src=x onerror=alert(1)>\u202e{{7*7}}"
NUMBERS = iter(range(1, 1 << 40))


def events(count: int, **fields: Any) -> Entry:
    rows = [EventRow(line(next(NUMBERS), **fields)) for _ in range(count)]
    return attrs.evolve(entry(*rows, project="shop"), received_at=START)


def held(name: str) -> Entry:
    fault = b'[{"code":"required","pointer":"/event","detail":{}}]'
    return attrs.evolve(entry(project="shop", quarantined=(QuarantinedItem(name, fault, b"{}"),)), received_at=START)


async def store_some(store: Store, *entries: Entry, rejections: int = 0) -> None:
    """Append as a server would that has just been started."""
    with contextlib.nullcontext() if store.directory is None else store.directory.lock():
        async with store.storage(StoreSettings()) as storage:
            for each in entries:
                await storage.append(each)
    if rejections:
        log = store.rejected_log(StoreSettings())
        async with log.running():
            for _ in range(rejections):
                log.add(rejection("shop"))


@attrs.frozen
class Messages:
    """A stream that is open: its messages as `(event, data, id)`."""

    response: ClientResponse

    async def next(self) -> tuple[str, Any, str | None]:
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            while (text := (await self.response.content.readline()).decode().rstrip("\r\n")) or not fields.get("data"):
                name, _, value = text.partition(": ")
                fields[name] = value
        return fields["event"], json.loads(fields["data"]), fields.get("id")

    async def rows(self) -> tuple[list[dict[str, Any]], str | None]:
        """Return the rows of the next message that has any, and its id."""
        while True:
            event, data, cursor = await self.next()
            if event == "rows" and data["rows"]:
                return data["rows"], cursor


@asynccontextmanager
async def stream(api: Api, query: str = "", **headers: str) -> AsyncIterator[Messages]:
    """An open stream that has begun to follow the log."""
    given = {"Authorization": f"Bearer {api.token}", "Accept": "text/event-stream", **headers}
    async with api.client.get(f"/api/live{query}", headers=given) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        messages = Messages(response)
        assert (await messages.next())[0] == "open"
        yield messages


async def cursor_of(api: Api) -> str:
    return str((await api.get("/api/live"))["cursor"])


async def test_the_newest_of_all_that_arrived_is_one_list(served: Console, api: Api, console: Browser) -> None:
    await store_some(served.store, events(2, name="Signed Up", user_id="ada"), held("h-1"), rejections=1)
    found = await api.get("/api/live")
    Draft202012Validator(NEWEST).validate(found)
    assert [each["verdict"] for each in found["rows"]][:4] == ["rejected", "stored", "stored", "quarantined"]
    rejected, stored, _, quarantined = found["rows"][:4]
    assert (stored["page"], stored["name"]) == (f"/events/{stored['position']}", "Signed Up")
    assert (quarantined["page"].partition("/quarantine/")[0], quarantined["why"]) == ("", "/event is missing")
    assert (rejected["page"].partition("/rejected/")[0], rejected["why"]) == ("", "400 invalid")
    for query, verdicts in (
        ("verdict=stored", {"stored"}),
        ("verdict=quarantined", {"quarantined"}),
        ("verdict=filtered", set()),
        ("verdict=rejected", {"rejected"}),
        ("person=ada", {"stored"}),
        ("name=Signed+Up&project=shop&dialect=toy&type=track", {"stored"}),
        ("project=nobody", set()),
    ):
        assert {each["verdict"] for each in (await api.get(f"/api/live?{query}"))["rows"]} == verdicts
    text = await console.page("/live")
    assert f'href="/events/{stored["position"]}" data-event' in text
    assert f'data-stream="/api/live?after={found["cursor"]}"' in text


async def test_a_stream_tells_of_what_arrives_after_its_cursor_each_once(served: Console, api: Api) -> None:
    before = await cursor_of(api)
    await store_some(served.store, events(1, name="missed on the way"))
    async with stream(api, f"?after={before}") as messages:
        first, cursor = await messages.rows()
        assert [each["name"] for each in first] == ["missed on the way"]
        await store_some(served.store, events(1, name="one"), held("h"), rejections=1)
        seen: list[tuple[str, object]] = []
        while len(seen) < 3:
            rows, _ = await messages.rows()
            seen += [(each["verdict"], each["name"] or each["why"]) for each in rows]
        assert sorted(seen) == [("quarantined", "/event is missing"), ("rejected", "400 invalid"), ("stored", "one")]
    assert cursor is not None
    async with stream(api, **{"Last-Event-ID": cursor}) as messages:  # as a browser that connects again
        assert [each["name"] for each in (await messages.rows())[0]] == ["one"]
    async with asyncio.timeout(PATIENCE):  # it is noticed soon that nobody is there any more
        await served.feed.idle()


async def test_each_stream_gets_what_its_filter_asks_for(served: Console, api: Api) -> None:
    after = await cursor_of(api)
    async with (
        stream(api, f"?person=bob&after={after}") as bob,
        stream(api, f"?name={HOSTILE}&after={after}") as hostile,
        stream(api, f"?verdict=quarantined&after={after}") as quarantined,
    ):
        await store_some(
            served.store,
            events(1, name="ada's", user_id="ada"),
            events(1, name="bob's", anonymous_id="bob"),
            events(1, name=HOSTILE),
            held("h"),
        )
        assert [each["name"] for each in (await bob.rows())[0]] == ["bob's"]
        assert [each["name"] for each in (await hostile.rows())[0]] == [HOSTILE]
        assert [each["verdict"] for each in (await quarantined.rows())[0]] == ["quarantined"]


async def test_of_many_events_the_last_are_shown_and_the_others_counted(served: Console, api: Api) -> None:
    after = await cursor_of(api)
    await store_some(served.store, events(400, name="many"))
    for query in ("", "&name=many"):
        async with stream(api, f"?after={after}{query}") as messages:
            shown, more = 0, 0
            while shown + more < 400:
                event, data, _ = await messages.next()
                assert (event, len(data["rows"]) <= MOST_ROWS) == ("rows", True)
                shown, more = shown + len(data["rows"]), more + data["more"]
            assert (shown + more, more >= 300) == (400, True)


async def test_a_watcher_that_is_slow_is_told_how_much_it_missed(served: Console) -> None:
    async with served.feed.listening(LiveFilter()) as listener:
        for number in range(MOST_WAITING + 3):
            listener.put(Batch([{"n": number}], 9))
        waiting = [await listener.next() for _ in range(MOST_WAITING)]
        listener.put(Batch([], 1))
        assert [each.missed for each in waiting] == [0] * MOST_WAITING
        assert (await listener.next()).missed == 30


async def test_a_stream_that_cannot_be_had_is_refused_in_one_line(served: Console, api: Api) -> None:
    given = {"Authorization": f"Bearer {api.token}", "Accept": "text/event-stream"}

    async def refused(query: str) -> tuple[int, Any]:
        async with api.client.get(f"/api/live{query}", headers=given) as response:
            return response.status, await response.json()

    assert await refused("?after=x") == (400, {"error": "after is no position of this log"})
    assert (await refused("?verdict=lost"))[0] == 400
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(feed.MOST_LISTENERS):
            await stack.enter_async_context(served.feed.listening(LiveFilter()))
        assert await refused("") == (503, {"error": "too many browsers follow what arrives"})


async def test_a_stream_needs_a_login(client: Client) -> None:
    async with client.get("/api/live", headers={"Accept": "text/event-stream"}) as response:
        assert response.status == 401


async def test_what_a_client_sent_is_text(served: Console, console: Browser) -> None:
    await store_some(served.store, events(1, name=HOSTILE, user_id=HOSTILE))
    text = await console.page("/live")
    assert ("<img" in text, "&lt;img src=x" in text, "\u202e" in text) == (False, True, False)
