"""The page Quarantine: groups of held items, the items of a group, one item whole; replay and drop."""

from collections import Counter
from collections.abc import Mapping

from aiohttp import web

from gateway.console.held.operations import FILTER, MOST_REPLAYED, QUARANTINE, VERDICTS
from gateway.console.held.quarantine import (
    drop,
    facts,
    filter_of,
    groups_facts,
    item_facts,
    item_of,
    query_of,
    replay,
    replay_group,
    result_of,
    sentence_of,
    told,
    whole,
)
from gateway.console.held.shared import NUMBER, beginning, link, number_in
from gateway.console.page import (
    changed,
    console_of,
    int_param,
    json_answer,
    json_of,
    render,
)
from gateway.operate.receipts import receipt
from gateway.storage.held.groups import GROUPED_ITEMS

OPERATIONS: Mapping[str, object] = QUARANTINE


async def page(request: web.Request) -> web.Response:
    """Answer with the groups."""
    where, found = filter_of(request), await groups_facts(request)
    for group in found["groups"]:
        group["link"] = link("/quarantine/items", {name: group[name] for name in FILTER})
    return await render(
        request, "quarantine.html", {**found, "where": query_of(where), "verdicts": VERDICTS, "grouped": GROUPED_ITEMS}
    )


async def items_page(request: web.Request) -> web.Response:
    """Answer with the items of a group."""
    where, found, rest = filter_of(request), await facts(request), int_param(request, "rest")
    query = query_of(where)
    left = None
    async with console_of(request).store.records() as records:
        counted = await records.quarantine_groups(where)
        if rest is not None:
            left = (await records.quarantine_groups(where, rest)).counted
    shown = {
        **found,
        "where": query,
        "replay": link("/quarantine/replay", {**query, "before": rest}),
        "sentence": sentence_of(where.code or "", where.pointer or "") if where.code is not None else None,
        "counted": counted.counted,
        "complete": counted.complete,
        "older": None if found["before"] is None else link("/quarantine/items", {**query, "before": found["before"]}),
        "rest": rest,
        "left": left,
        "most": MOST_REPLAYED,
    }
    return await render(request, "quarantine_items.html", shown)


async def item_page(request: web.Request) -> web.Response:
    """Answer with one item."""
    async with console_of(request).store.records() as records:
        item = await item_of(records, number_in(request))
        known = None if item.receipt is None else await receipt(records, f"{item.receipt:x}")
    found = whole(request, item)
    verdicts = Counter(each["verdict"] for each in known["items"]) if known else Counter[str]()
    body = "" if found["request"] is None else found["request"].get("body", found["request"].get("body_base64", ""))
    shown = {
        **found,
        "shown": beginning(found["payload"] or ""),
        "body": beginning(body),
        "verdicts": dict(verdicts),
    }
    return await render(request, "quarantine_item.html", shown)


async def replay_form(request: web.Request) -> web.Response:
    """Replay one item."""
    number = number_in(request)
    done = await replay(request, number)
    if done.failed:
        return changed(request, f"/quarantine/{number}", f"Item {number} failed again: {done.failed[0][1]}", "bad")
    return changed(request, "/quarantine", f"Item {number}: {done.summary}")


async def replay_group_form(request: web.Request) -> web.Response:
    """Replay a part of the group that the query names: what clients chose stands in no field of a form."""
    where, done = await replay_group(request, request.query)
    target = link("/quarantine/items", {**query_of(where), "rest": done.before})
    return changed(request, target, told(done.result), "bad" if done.result.failed else "good")


async def drop_form(request: web.Request) -> web.Response:
    """Remove one item for good."""
    number = number_in(request)
    await drop(request, number)
    return changed(request, "/quarantine", f"Item {number} is dropped")


async def api(request: web.Request) -> web.Response:
    """Answer with a page of items as JSON."""
    return json_answer(await facts(request))


async def groups_api(request: web.Request) -> web.Response:
    """Answer with the groups as JSON."""
    return json_answer(await groups_facts(request))


async def item_api(request: web.Request) -> web.Response:
    """Answer with one item as JSON."""
    return json_answer(await item_facts(request))


async def replay_api(request: web.Request) -> web.Response:
    """Replay one item."""
    return json_answer(result_of(await replay(request, number_in(request))))


async def replay_group_api(request: web.Request) -> web.Response:
    """Replay a part of a group."""
    _, done = await replay_group(request, await json_of(request))
    return json_answer(result_of(done.result, done.before))


async def drop_api(request: web.Request) -> web.Response:
    """Remove one item for good."""
    return json_answer({"dropped": await drop(request, number_in(request))})


_ONE = f"/quarantine/{NUMBER}"
ROUTES = [
    web.get("/quarantine", page),
    web.get("/quarantine/items", items_page),
    web.post("/quarantine/replay", replay_group_form),
    web.get(_ONE, item_page),
    web.post(f"{_ONE}/replay", replay_form),
    web.post(f"{_ONE}/drop", drop_form),
    web.get("/api/quarantine", api),
    web.get("/api/quarantine/groups", groups_api),
    web.post("/api/quarantine/replay", replay_group_api),
    web.get(f"/api{_ONE}", item_api),
    web.post(f"/api{_ONE}/replay", replay_api),
    web.post(f"/api{_ONE}/drop", drop_api),
]
