"""What the page Quarantine asks and does: facts of groups and items, replay and drop. Its answers are elsewhere."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import web

from gateway.console.changes import appending
from gateway.console.held.operations import FILTER, MOST_REPLAYED, VERDICTS
from gateway.console.held.shared import DAMAGED, faults_of, given, number_in, time_of
from gateway.console.page import (
    bad_request,
    choice_param,
    console_of,
    int_param,
    not_found,
    text_param,
)
from gateway.operate.explain import explain
from gateway.operate.held import quarantine as held
from gateway.operate.held.contents import Contents
from gateway.operate.held.quarantine import GroupReplayed, ItemsReplayed
from gateway.operate.held.replay import Replay
from gateway.operate.held.shown import request as request_facts
from gateway.storage.held.groups import QuarantineFilter
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.records import Records

MOST_REASONS = 3
"""How many reasons a notice names."""


def filter_of(request: web.Request) -> QuarantineFilter:
    """Return which items the query asks for."""
    choice_param(request, "verdict", VERDICTS)
    asked = {name: text_param(request, name) for name in ("project", "dialect", "route", "verdict")}
    return QuarantineFilter(**asked, code=given(request, "code"), pointer=given(request, "pointer"))


def query_of(where: QuarantineFilter) -> dict[str, Any]:
    """Return what a query asks with for the same items."""
    return attrs.asdict(where)


async def groups_facts(request: web.Request) -> dict[str, Any]:
    """Return what the page shows first, and what /api/quarantine/groups answers."""
    async with console_of(request).store.records() as records:
        found = await records.quarantine_groups(filter_of(request))
    groups = [
        {
            **attrs.asdict(each),
            "sentence": sentence_of(each.code, each.pointer),
            "oldest": time_of(each.oldest),
            "newest": time_of(each.newest),
        }
        for each in found.groups
    ]
    return {"groups": groups, "counted": found.counted, "left_out": found.left_out, "complete": found.complete}


async def facts(request: web.Request) -> dict[str, Any]:
    """Return a page of items, which /api/quarantine answers too."""
    where, before = filter_of(request), int_param(request, "before")
    async with console_of(request).store.records() as records:
        page = await records.quarantine_page(where, before)
    return {"items": [_row(row) for row in page.rows], "before": page.before}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    fault = next(iter(faults_of(row)), {"code": "", "sentence": "it has no fault"})
    names = ("id", "project", "dialect", "route", "verdict", "message_id", "payload")
    return {
        **{name: row[name] for name in names},
        "received_at": time_of(row["received_at"]),
        "code": str(fault["code"]),
        "pointer": str(fault.get("pointer", "")),
        "sentence": fault["sentence"],
    }


async def item_facts(request: web.Request) -> dict[str, Any]:
    """Return one item whole, as /api/quarantine/ID answers it."""
    async with console_of(request).store.records() as records:
        item = await item_of(records, number_in(request))
    return whole(request, item)


def whole(request: web.Request, item: QuarantineRecord) -> dict[str, Any]:
    """Return all facts of an item."""
    shown = Contents(lambda: console_of(request).installed).of(item)
    return {
        "id": item.number,
        "received_at": time_of(item.received_at),
        "project": item.project,
        "dialect": item.dialect,
        "route": item.route,
        "verdict": item.verdict,
        "message_id": shown.message_id,
        "item": item.index,
        "faults": faults_of({"faults": item.faults}),
        "payload": shown.payload,
        "note": shown.note,
        "receipt": None if item.receipt is None else f"{item.receipt:x}",
        "request": None if item.raw is None else request_facts(item.raw),
        "size": item.size,
        "sha256": item.sha256,
    }


async def item_of(records: Records, number: int) -> QuarantineRecord:
    """Return an item. Raises 404 if there is none, or no more; then it says how the item ended."""
    item = await records.quarantine_record(number)
    if item is None:
        how = await records.settled(number)
        if how is None:
            raise not_found(f"there is no quarantined item {number}")
        raise not_found(f"item {number} is no longer in quarantine: {how}")
    return item


def sentence_of(code: str, pointer: str) -> str:
    """Return what is wrong with the items of a group."""
    return explain(code, pointer) if code else DAMAGED


async def replay(request: web.Request, number: int) -> ItemsReplayed:
    """Replay one item."""
    console = console_of(request)
    async with console.store.records() as records:
        await item_of(records, number)
        async with appending(console) as append:
            return await held.replay(records, append, _replayer(request), [number], console.clock)


async def replay_group(request: web.Request, fields: Mapping[str, Any]) -> tuple[QuarantineFilter, GroupReplayed]:
    """Replay the newest items of the group that a form or a JSON object names. Returns its filter, too."""
    unknown = fields.keys() - {*FILTER, "before"}
    before = fields.get("before")
    if unknown or not all(isinstance(fields.get(name, ""), str) for name in FILTER):
        raise bad_request(f"a group is named by {', '.join(FILTER)}, all texts, and before, an id")
    if isinstance(before, str) and before.isascii() and before.isdigit() and len(before) <= 18:
        before = int(before)
    if before is not None and (not isinstance(before, int) or not 0 <= before < 1 << 63):
        raise bad_request("before must be an id")
    where = QuarantineFilter(**{name: fields[name] for name in FILTER if name in fields})
    console = console_of(request)
    async with console.store.records() as records, appending(console) as append:
        replayer = _replayer(request)
        done = await held.replay_group(
            records, append, replayer, where, console.clock, before=before, most=MOST_REPLAYED
        )
    return where, done


def _replayer(request: web.Request) -> Replay:
    console = console_of(request)
    return Replay(console.installed, console.config.keep_ip, console.config.asked)


def told(done: ItemsReplayed) -> str:
    """Return a notice about a replay: the totals, and the commonest reasons why items failed."""
    reasons = Counter(why for _, why in done.failed).most_common(MOST_REASONS + 1)
    named = [why if count == 1 else f"{count} × {why}" for why, count in reasons[:MOST_REASONS]]
    more = ["and others"] if len(reasons) > MOST_REASONS else []
    return f"{done.summary}{': ' if named else ''}{'; '.join([*named, *more])}"


def result_of(done: ItemsReplayed, before: int | None = None) -> dict[str, Any]:
    """Return how a replay ended, as JSON has it."""
    failed = [{"id": number, "why": why} for number, why in done.failed]
    return {"stored": done.stored, "duplicate": done.duplicate, "failed": failed, "before": before}


async def drop(request: web.Request, number: int) -> int:
    """Remove one item for good, and return whether it was still there: 1 or 0."""
    console = console_of(request)
    async with console.store.records() as records:
        item = await item_of(records, number)
    async with appending(console) as append:
        return await held.drop(append, [item], console.clock)
