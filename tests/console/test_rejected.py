"""The page Rejected and its JSON, on a store of each engine: groups with advice, single requests, their replay."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest

from gateway.console.context import Console
from gateway.console.held.operations import REJECTED
from gateway.dialect import Reason, Refusal, Request
from gateway.operate.times import HINT
from gateway.records.rejected_request import PendingRejection
from gateway.storage.store import StoreSettings
from tests.cli.test_quarantine import track
from tests.console.browser import Api, Browser
from tests.console.test_quarantine import HOSTILE, stored

GONE = "there is no rejected request 999999999; the oldest make room for new ones"
NOBODYS = "its project is unknown: nothing in it was a known credential; choose one"


def schema(path: str, method: str = "get") -> Any:
    """The schema of what a path answers."""
    item: Any = REJECTED[path]
    return item[method]["responses"]["200"]["content"]["application/json"]["schema"]


async def reject(
    served: Console, refusal: Refusal, *items: dict[str, object], origin: str | None = None, path: str = "/x"
) -> int:
    """Keep a request of items as one that was refused; return its id."""
    headers: Mapping[str, str] = {"host": "h", **({} if origin is None else {"origin": origin})}
    body = json.dumps({"batch": items}).encode()
    pending = PendingRejection(
        project=refusal.project,
        dialect=served.installed["tranthor"].dialect,
        items=len(items),
        route="batch",
        request=Request("POST", path, {}, headers, body, served.clock()),
        refusal=refusal,
        credentials=(),
        status=refusal.reason.status,
        request_id="r-1",
    )
    log = served.store.rejected_log(StoreSettings())
    async with log.running():
        log.add(pending)
    async with served.store.records() as records:
        return max([int(row["id"]) async for row in records.rejected_requests()])


async def test_requests_are_grouped_by_reason_key_and_origin_with_what_to_do(
    served: Console, console: Browser, api: Api
) -> None:
    origin = "https://shop.example"
    refusal = Refusal(Reason.ORIGIN, detail={"origin": origin, "kind": "k"}, project="grouped", credential_id="key_7")
    numbers = [await reject(served, refusal, track("a"), origin=origin) for _ in range(2)]
    found = await api.get("/api/rejected/groups?project=grouped&since=1h")
    jsonschema.validate(found, schema("/api/rejected/groups"))
    [group] = found["groups"]
    advice = (
        "If pages on shop.example are yours, add that host to the origins of the key key_7, on the page Keys or "
        "by `gateway keys update key_7 --origin shop.example --origin ...`. Name all its hosts: the command removes "
        "the others."
    )
    facts = {"reason": "origin_not_allowed", "project": "grouped", "credential_id": "key_7", "origin": origin}
    assert {name: group[name] for name in (*facts, "count", "example", "advice")} == {
        **facts,
        "count": 2,
        "example": numbers[1],
        "advice": advice,
    }
    page = await console.page("/rejected?project=grouped")
    assert "<code>gateway keys update key_7 --origin shop.example --origin ...</code>" in page
    query = urlencode({**facts, "dialect": "tranthor"})
    assert f"/rejected/items?{query}".replace("&", "&amp;") in page
    items = await api.get(f"/api/rejected?{query}")
    jsonschema.validate(items, schema("/api/rejected"))
    assert ([each["id"] for each in items["requests"]], items["before"]) == (numbers[::-1], None)
    listed = await console.page(f"/rejected/items?{query}")
    assert [f'href="/rejected/{number}"' in listed for number in numbers] == [True, True]


async def test_one_request_is_shown_whole_with_the_facts_of_its_rejection(
    served: Console, console: Browser, api: Api
) -> None:
    refusal = Refusal(Reason.LIMITED, detail={"limit": 5, "window": 60}, project="whole", credential_id="key_8")
    number = await reject(served, refusal, track("w"))
    found = await api.get(f"/api/rejected/{number}")
    jsonschema.validate(found, schema("/api/rejected/{number}"))
    assert [fault["sentence"] for fault in found["faults"]] == [
        "the limit is 5",
        "the limit is counted over 60 seconds",
    ]
    assert found["advice"].startswith(
        "A key came to its limit of 5 requests in 60 s: raise requests in [limits.tranthor]"
    )
    assert json.loads(found["request"]["body"]) == {"batch": [track("w")]}
    page = await console.page(f"/rejected/{number}")
    shown = ("the limit is 5", "POST /x", "key_8", "r-1", "rate limited")
    assert [text in page for text in shown] == [True] * len(shown)


async def test_a_strangers_request_is_booked_to_a_project_and_replayed_once(
    served: Console, console: Browser, api: Api
) -> None:
    booked = Refusal(Reason.REVOKED_CREDENTIAL, detail={"kind": "write_key"}, project="blog", credential_id="key_9")
    await reject(served, booked)
    number = await reject(served, Refusal(Reason.UNKNOWN_CREDENTIAL, detail={"kind": "write_key"}), track("s-a"))
    page = await console.page(f"/rejected/{number}")
    assert ('name="project"' in page, '<option value="blog">' in page) == (True, True)
    replay = f"/rejected/{number}/replay"
    assert await api.send("POST", f"/api{replay}") == (409, {"error": NOBODYS})
    wrong = await console.post(replay, {"project": "blogg"})
    assert (wrong.status, "there is no project &#39;blogg&#39;; did you mean blog?" in wrong.text) == (400, True)
    told = f"Request {number}: 1 stored, 0 already stored, 0 failed again, in project blog"
    assert told in await console.change(replay, {"project": "blog"})
    assert await stored(served, "blog") == ["s-a"]
    again = f"Request {number}: already replayed: 1 stored, 0 already stored, 0 failed again, in project blog"
    assert again in await console.change(replay, {"project": "blog"})


async def test_a_request_of_a_project_is_replayed_into_it_and_what_is_still_invalid_is_told(
    served: Console, console: Browser, api: Api
) -> None:
    refusal = Refusal(Reason.REVOKED_CREDENTIAL, detail={"kind": "write_key"}, project="mine", credential_id="key_1")
    good = await reject(served, refusal, track("m-a"), track("m-b"))
    status, answer = await api.send("POST", f"/api/rejected/{good}/replay", {})
    jsonschema.validate(answer, schema("/api/rejected/{number}/replay", "post"))
    assert (status, answer) == (200, {"stored": 2, "duplicate": 0, "failed": [], "project": None})
    bad = await reject(served, refusal, track("m-c"), track("m-d", event=None))
    told = f"Request {bad}: 1 stored, 0 already stored, 1 failed again: item 1: /event is missing"
    assert told in await console.change(f"/rejected/{bad}/replay")
    assert await stored(served, "mine") == ["m-a", "m-b", "m-c"]


async def test_what_a_client_sent_is_text_on_every_page(served: Console, console: Browser) -> None:
    refusal = Refusal(Reason.ORIGIN, detail={"origin": HOSTILE}, project="hostile", credential_id="key_2")
    number = await reject(served, refusal, {HOSTILE: HOSTILE}, origin=HOSTILE, path=f"/{HOSTILE}")
    pages = [
        await console.page("/rejected?project=hostile"),
        await console.page("/rejected/items?" + urlencode({"project": "hostile", "origin": HOSTILE})),
        await console.page(f"/rejected/{number}"),
        await console.change(f"/rejected/{number}/replay"),
    ]
    for page in pages:
        hidden = [text in page for text in ("<img", "\u202e", "\x1b", "[31m49")]
        assert ("&lt;img src=x" in page, hidden) == (True, [False] * 4)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "line"),
    [
        ("GET", "/api/rejected/999999999", None, 404, GONE),
        ("POST", "/api/rejected/999999999/replay", {}, 404, GONE),
        ("POST", "/api/rejected/1/replay", {"project": 7}, 400, "the body may have project, a text, and nothing else"),
        ("GET", "/api/rejected/groups?since=soon", None, 400, f"since is no time; {HINT}"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
async def test_what_makes_no_sense_is_an_error_of_one_line(
    api: Api, method: str, path: str, body: object, status: int, line: str
) -> None:
    assert await api.send(method, path, body) == (status, {"error": line})
