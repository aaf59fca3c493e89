"""The page Quarantine and its JSON, on a store of each engine: what is held, replayed and dropped."""

import contextlib
import json
from typing import Any
from urllib.parse import urlencode

import attrs
import jsonschema
import pytest

from gateway.config import Config
from gateway.console.context import Console
from gateway.console.held.operations import GROUPS, ITEM, ITEMS, MOST_REPLAYED, REPLAYED
from gateway.storage.read import EventFilter, export
from gateway.storage.store import StoreSettings
from gateway.workers.open_log import opened
from tests.cli.test_quarantine import held, track
from tests.console.browser import Api, Browser

HOSTILE = '"><img src=x onerror=alert(1)>\u202e\x1b[31m{{7*7}}</script>'
MISSING = {"code": "required", "pointer": "/event"}


async def hold(served: Console, project: str, *items: dict[str, object], **change: Any) -> list[int]:
    """Put one request's items into quarantine, all with the fault MISSING; return their ids."""
    entry = attrs.evolve(held(*items), project=project)
    changed = tuple(attrs.evolve(each, **change) for each in entry.quarantined)
    async with served.store.storage(StoreSettings()) as storage:
        await storage.append(attrs.evolve(entry, quarantined=changed))
    return await ids(served, project)


async def ids(served: Console, project: str) -> list[int]:
    async with served.store.records() as records:
        return [row["id"] async for row in records.quarantine(project=project)]


async def stored(served: Console, project: str) -> list[str]:
    """The message ids of a project's events."""
    async with served.store.log() as log:
        pages = [page async for page in export(log, where=EventFilter(project=project))]
    return [json.loads(line)["message_id"] for page in pages for line in page.lines]


def group(project: str, **more: str) -> str:
    asked = {"project": project, "dialect": "tranthor", "route": "batch", "verdict": "quarantined", **MISSING, **more}
    return urlencode(asked)


async def test_items_are_grouped_by_what_is_wrong_and_a_group_opens_its_items(
    served: Console, console: Browser, api: Api
) -> None:
    numbers = await hold(served, "grouped", track("g-a"), track("g-b"))
    found = await api.get("/api/quarantine/groups?project=grouped")
    jsonschema.validate(found, GROUPS)
    [only] = found["groups"]
    assert {name: only[name] for name in ("sentence", "count", "example", "verdict")} == {
        "sentence": "/event is missing",
        "count": 2,
        "example": numbers[1],
        "verdict": "quarantined",
    }
    assert (found["counted"], found["left_out"], found["complete"]) == (2, 0, True)
    assert f'href="/quarantine/items?{group("grouped")}"'.replace("&", "&amp;") in await console.page(
        "/quarantine?project=grouped"
    )
    items = await api.get(f"/api/quarantine?{group('grouped')}")
    jsonschema.validate(items, ITEMS)
    assert ([each["message_id"] for each in items["items"]], items["before"]) == (["g-b", "g-a"], None)
    page = await console.page(f"/quarantine/items?{group('grouped')}")
    assert [f'href="/quarantine/{number}"' in page for number in numbers] == [True, True]
    assert (await api.get(f"/api/quarantine?{group('grouped', pointer='')}"))["items"] == []


async def test_one_item_is_shown_whole_with_its_request_and_receipt(
    served: Console, console: Browser, api: Api
) -> None:
    [number] = await hold(served, "whole", track("w-a"), payload=b"")
    found = await api.get(f"/api/quarantine/{number}")
    jsonschema.validate(found, ITEM)
    assert json.loads(found["payload"]) == track("w-a")
    assert found["faults"] == [{**MISSING, "detail": {}, "sentence": "/event is missing"}]
    assert found["request"]["headers"] == {"authorization": "Basic [redacted]", "host": "h"}
    page = await console.page(f"/quarantine/{number}")
    shown = (
        "/event is missing",
        "POST /api/public/apps/batch",
        "Basic [redacted]",
        f"{found['receipt']}</code>: 1 quar",
    )
    assert [text in page for text in shown] == [True] * len(shown)


async def test_an_item_that_is_valid_now_is_stored_and_then_the_page_says_how_it_ended(
    served: Console, console: Browser, api: Api
) -> None:
    [number] = await hold(served, "one", track("o-a"))
    assert f"Item {number}: 1 stored, 0 already stored, 0 failed again" in await console.change(
        f"/quarantine/{number}/replay"
    )
    assert await stored(served, "one") == ["o-a"]
    gone = await console.get(f"/quarantine/{number}")
    assert (gone.status, f"item {number} is no longer in quarantine: stored at position" in gone.text) == (404, True)
    status, answer = await api.send("POST", f"/api/quarantine/{number}/replay")
    assert (status, answer["error"].startswith(f"item {number} is no longer in quarantine")) == (404, True)


async def test_an_item_that_is_still_invalid_stays_and_the_reason_is_told(
    served: Console, console: Browser, api: Api
) -> None:
    [number] = await hold(served, "invalid", track("i-a", event=None))
    page = await console.change(f"/quarantine/{number}/replay")
    assert f"Item {number} failed again: /event is missing" in page
    status, answer = await api.send("POST", f"/api/quarantine/{number}/replay")
    expected = {"stored": 0, "duplicate": 0, "failed": [{"id": number, "why": "/event is missing"}], "before": None}
    assert (status, answer) == (200, expected)
    assert await ids(served, "invalid") == [number]


async def test_a_group_is_replayed_a_part_at_a_time_until_nothing_is_left(
    served: Console, console: Browser, api: Api
) -> None:
    names = [f"r-{number:03}" for number in range(MOST_REPLAYED + 20)]
    await hold(served, "many", *[track(name) for name in names[:-1]], track(names[-1], event=None))
    fields = {"project": "many", **MISSING}
    page = await console.change("/quarantine/replay?" + urlencode(fields))
    told = f"{MOST_REPLAYED - 1} stored, 0 already stored, 1 failed again: /event is missing"
    assert (told in page, "20 older items were not tried yet" in page) == (True, True)
    assert await stored(served, "many") == names[20:-1]
    rest = page.partition(";before=")[2].partition('"')[0]
    status, answer = await api.send("POST", "/api/quarantine/replay", {**fields, "before": int(rest)})
    jsonschema.validate(answer, REPLAYED)
    assert (status, answer) == (200, {"stored": 20, "duplicate": 0, "failed": [], "before": None})
    assert await stored(served, "many") == [*names[20:-1], *names[:20]]
    assert len(await ids(served, "many")) == 1


async def test_a_change_goes_through_the_server_that_runs_on_the_store(served: Console, console: Browser) -> None:
    [number] = await hold(served, "beside", track("b-a"))
    directory = served.store.directory
    with contextlib.nullcontext() if directory is None else directory.lock():
        async with opened(Config(), served.store):
            assert "1 stored" in await console.change(f"/quarantine/{number}/replay")
    assert await stored(served, "beside") == ["b-a"]


async def test_a_directory_that_another_program_holds_is_one_line(served: Console, console: Browser) -> None:
    [number] = await hold(served, "locked", track("l-a"))
    directory = served.store.directory
    if directory is not None:
        with directory.lock():
            answer = await console.post(f"/quarantine/{number}/drop")
            assert (answer.status, "another gateway runs on" in answer.text) == (503, True)
    assert await ids(served, "locked") == [number]


async def test_an_item_is_dropped_for_good(served: Console, console: Browser, api: Api) -> None:
    first, second = await hold(served, "dropped", track("d-a"), track("d-b"))
    assert f"Item {first} is dropped" in await console.change(f"/quarantine/{first}/drop")
    assert await api.send("POST", f"/api/quarantine/{second}/drop") == (200, {"dropped": 1})
    assert await ids(served, "dropped") == []
    assert await stored(served, "dropped") == []
    status, answer = await api.send("POST", f"/api/quarantine/{second}/drop")
    assert (status, answer) == (404, {"error": f"item {second} is no longer in quarantine: dropped"})


async def test_what_a_client_sent_is_text_on_every_page(served: Console, console: Browser) -> None:
    item = {**track("h-a", event=None), "properties": {HOSTILE: HOSTILE}, "userId": HOSTILE}
    pointer = f"/properties/{HOSTILE}"
    faults = json.dumps([{"code": HOSTILE, "pointer": pointer, "detail": {}}]).encode()
    payload = json.dumps(item, ensure_ascii=False).encode()
    [number] = await hold(served, "hostile", item, faults=faults, payload=payload, message_id=HOSTILE)
    pages = [
        await console.page("/quarantine?project=hostile"),
        await console.page(
            "/quarantine/items?" + urlencode({"project": "hostile", "code": HOSTILE, "pointer": pointer})
        ),
        await console.page(f"/quarantine/{number}"),
        await console.change(f"/quarantine/{number}/replay"),
    ]
    for page in pages:
        hidden = [text in page for text in ("<img", "\u202e", "\x1b", "[31m49")]
        assert ("&lt;img src=x" in page, hidden) == (True, [False] * 4)


async def test_what_is_nested_deeply_does_not_make_a_large_page(served: Console, console: Browser) -> None:
    nested = {**track("n-a"), "properties": {"x": [json.loads("[" * 240 + "]" * 240)] * 120}}
    [number] = await hold(served, "nested", nested, payload=json.dumps(nested).encode())
    assert len(await console.page(f"/quarantine/{number}")) < 1_000_000


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "line"),
    [
        ("GET", "/api/quarantine/999999999", None, 404, "there is no quarantined item 999999999"),
        ("POST", "/api/quarantine/999999999/drop", None, 404, "there is no quarantined item 999999999"),
        ("GET", "/api/quarantine?verdict=stored", None, 400, "verdict must be one of quarantined, filtered"),
        ("GET", "/api/quarantine?before=-1", None, 400, "before must be an integer from 0 to 9223372036854775807"),
        ("GET", f"/api/quarantine?pointer={'x' * 5000}", None, 400, "pointer is longer than 4096 characters"),
        ("POST", "/api/quarantine/replay", {"projects": "a"}, 400, "a group is named by project, dialect, route, "
         "verdict, code, pointer, all texts, and before, an id"),
        ("POST", "/api/quarantine/replay", {"project": 7}, 400, "a group is named by project, dialect, route, "
         "verdict, code, pointer, all texts, and before, an id"),
        ("POST", "/api/quarantine/replay", {"before": "x"}, 400, "before must be an id"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
async def test_what_makes_no_sense_is_an_error_of_one_line(
    api: Api, method: str, path: str, body: object, status: int, line: str
) -> None:
    assert await api.send(method, path, body) == (status, {"error": line})
