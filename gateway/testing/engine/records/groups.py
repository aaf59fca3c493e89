"""What every engine's Records tell of held items and rejected requests by group, and in pages, the newest first."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import attrs

from gateway.dialect import Reason, Refusal
from gateway.records.rejected_request import PendingRejection
from gateway.storage.contract import Entry, QuarantinedItem
from gateway.storage.held.groups import (
    EVERY_REJECTION,
    Listed,
    QuarantineFilter,
    QuarantineGroup,
    RejectedFilter,
    RejectedGroup,
)
from gateway.storage.records import Records
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.expect import equal
from gateway.testing.engine.given.entries import entry, kept, key
from gateway.testing.engine.given.quarantine import LARGE, holding
from gateway.testing.engine.given.rejections import rejection
from gateway.testing.engine.promise import Family, ready_store
from gateway.testing.engine.under_test import EngineUnderTest

AT = 1_700_000_000_000
KEEP = StoreSettings(rejected_window=100 * 365 * 86_400.0)


def _item(name: str, index: int = 0, *, pointer: str = "/event", verdict: str = "quarantined") -> QuarantinedItem:
    faults = [{"code": "required", "pointer": pointer, "detail": {}}, {"code": "type", "pointer": "/x", "detail": {}}]
    return QuarantinedItem(name, json.dumps(faults).encode(), b"{}", key(name), index, verdict)


def _of(*items: QuarantinedItem, project: str = "shop", at: int = AT) -> Entry:
    return attrs.evolve(holding(*items, project=project), received_at=at)


def _wrong_origin(origin: str, at: int) -> PendingRejection:
    refusal = Refusal(Reason.ORIGIN, detail={"origin": origin}, project="shop", credential_id="key_1")
    sent = rejection("shop", received_at=at, admitted=False)
    return attrs.evolve(
        sent, refusal=refusal, status=403, request=attrs.evolve(sent.request, headers={"origin": origin})
    )


async def _fill(store: Store) -> None:
    async with store.storage(StoreSettings()) as storage, store.records() as records:
        await storage.append(
            _of(*[_item(f"a{number}", number, pointer=f"/products/{number}/id") for number in range(9)])
        )
        await storage.append(_of(_item("b0"), _item("b1", 1, verdict="filtered"), _item("b2", 2), at=AT + 1000))
        await storage.append(_of(_item("c0"), project="blog", at=AT + 2000))
        for number in range(3):
            await storage.append(_of(_item(f"d{number}"), at=AT + 3000 + number))
        ids = {row["message_id"]: row["id"] async for row in records.quarantine()}
        for name in ("a0", "b0", "d1"):
            await storage.append(attrs.evolve(entry(project="shop"), resolves=ids[name]))
    log = store.rejected_log(KEEP)
    async with log.running():
        for note in (
            *[rejection(received_at=AT + number) for number in range(4)],
            *[rejection(None, received_at=AT + 10 + number, path=f"/{number}") for number in range(2)],
            *[_wrong_origin("https://a.example", AT + 20 + number) for number in range(3)],
            _wrong_origin("https://b.example", AT + 30),
        ):
            log.add(note)


@asynccontextmanager
async def filled_store(engine: EngineUnderTest) -> AsyncIterator[Store]:
    """Open a store with held items and rejected requests."""
    async with ready_store(engine) as store:
        await _fill(store)
        yield store


FAMILY = Family("groups", filled_store)
EMPTY = Family("groups", ready_store)


def _group(**facts: Any) -> QuarantineGroup:
    shop = {"project": "shop", "dialect": "toy", "route": "track", "verdict": "quarantined", "code": "required"}
    return QuarantineGroup(**{**shop, **facts})


async def _numbered(records: Records) -> dict[str, int]:
    return {row["message_id"]: row["id"] async for row in records.quarantine()}


@FAMILY.promise(
    "group quarantined items by project, dialect, route, verdict, and the code and pointer of their first "
    "fault, with indexes written as *; the largest group first"
)
async def held_items_are_grouped_by_their_first_fault_and_indexes_do_not_tell_them_apart(filled: Store) -> None:
    async with filled.records() as records:
        ids = await _numbered(records)
        found = await records.quarantine_groups()
    products = _group(pointer="/products/*/id", count=8, oldest=AT, newest=AT, example=ids["a8"])
    event = _group(pointer="/event", count=3, oldest=AT + 1000, newest=AT + 3002, example=ids["d2"])
    one = {"pointer": "/event", "count": 1}
    blog = _group(**one, project="blog", oldest=AT + 2000, newest=AT + 2000, example=ids["c0"])
    filtered = _group(**one, verdict="filtered", oldest=AT + 1000, newest=AT + 1000, example=ids["b1"])
    equal(
        (found.groups, found.counted, found.left_out, found.complete),
        (
            [products, event, blog, filtered],
            13,
            0,
            True,
        ),
    )


ITEMS = [
    (QuarantineFilter(project="blog"), ["c0"]),
    (QuarantineFilter(verdict="filtered"), ["b1"]),
    (QuarantineFilter(pointer="/products/*/id"), [f"a{number}" for number in range(8, 0, -1)]),
    (QuarantineFilter(project="shop", code="required", pointer="/event"), ["d2", "d0", "b2", "b1"]),
    (QuarantineFilter(project="shop", route="nowhere"), []),
    (QuarantineFilter(project="sh\ud800p\0"), []),
]


@FAMILY.promise(
    "give the items of a group by descending number, and `before` as long as there are more; a text that no "
    "column can hold finds nothing"
)
async def the_items_of_a_group_come_in_pages_newest_first(filled: Store) -> None:
    for where, expected in ITEMS:
        async with filled.records() as records:
            for most in (1, 2, 50):
                rows = await _pages(partial(records.quarantine_page, where, most=most))
                equal([row["message_id"] for row in rows], expected)
            listed = {row["id"]: row async for row in records.quarantine()}
            equal(rows, [listed[row["id"]] for row in rows])
            counted = await records.quarantine_groups(where)
            equal(counted.counted, len(expected))


@FAMILY.promise(
    "look at items with lower numbers than `before`, at no more than `most` of the newest, and say with "
    "`complete` whether these were all"
)
async def groups_of_what_is_older_than_an_id_and_of_no_more_than_was_asked_for(filled: Store) -> None:
    async with filled.records() as records:
        ids = await _numbered(records)
        older = await records.quarantine_groups(before=ids["a4"])
        newest = await records.quarantine_groups(most=3)
    equal(([(each.count, each.example) for each in older.groups], older.complete), ([(3, ids["a3"])], True))
    equal(
        ([(each.project, each.count) for each in newest.groups], newest.complete),
        (
            [("shop", 2), ("blog", 1)],
            False,
        ),
    )


@FAMILY.promise(
    "group rejected requests by reason, project, credential, origin and dialect, those since a time where it "
    "is asked for; the largest group first"
)
async def rejected_requests_are_grouped_by_what_they_have_in_common(filled: Store) -> None:
    async with filled.records() as records:
        ids = [row["id"] async for row in records.rejected_requests()]
        found = await records.rejected_groups()
        late = await records.rejected_groups(since=AT + 21)
    common: dict[str, Any] = {"project": "shop", "credential_id": None, "origin": None, "dialect": "toy"}
    a = {**common, "reason": "origin_not_allowed", "credential_id": "key_1", "origin": "https://a.example"}
    b = RejectedGroup(**{**a, "origin": "https://b.example", "count": 1, "newest": AT + 30, "example": ids[9]})
    equal(
        found,
        [
            RejectedGroup(reason="invalid", **common, count=4, newest=AT + 3, example=ids[3]),
            RejectedGroup(**a, count=3, newest=AT + 22, example=ids[8]),
            RejectedGroup(reason="invalid", **{**common, "project": None}, count=2, newest=AT + 11, example=ids[5]),
            b,
        ],
    )
    equal(late, [RejectedGroup(**a, count=2, newest=AT + 22, example=ids[8]), b])


REQUESTS = [
    (EVERY_REJECTION, list(range(9, -1, -1))),
    (RejectedFilter(reason="invalid", project="shop"), [3, 2, 1, 0]),
    (RejectedFilter(project=""), [5, 4]),
    (RejectedFilter(credential_id="key_1", origin="https://a.example"), [8, 7, 6]),
    (RejectedFilter(credential_id="", origin="", dialect="toy"), [5, 4, 3, 2, 1, 0]),
    (RejectedFilter(dialect="none"), []),
    (RejectedFilter(origin="\0\ud800"), []),
]


@FAMILY.promise(
    "give the requests of a group by descending id; an empty text in a RejectedFilter asks for those that have none"
)
async def rejected_requests_of_a_group_come_in_pages_newest_first(filled: Store) -> None:
    for where, expected in REQUESTS:
        async with filled.records() as records:
            listed = [row async for row in records.rejected_requests()]
            for most in (1, 3, 50):
                rows = await _pages(partial(records.rejected_page, where, most=most))
                equal(rows, [listed[number] for number in expected])


async def _pages(ask: Callable[[int | None], Awaitable[Listed]]) -> list[dict[str, Any]]:
    """All rows, page by page."""
    rows: list[dict[str, Any]] = []
    page = await ask(None)
    rows += page.rows
    while page.before is not None:
        page = await ask(page.before)
        rows += page.rows
    return rows


@EMPTY.promise("list and group items of which little is kept (StoreSettings.quarantine_bytes) like all others")
async def items_without_room_and_with_large_requests_are_grouped_and_listed_too(store: Store) -> None:
    async with store.storage(StoreSettings(quarantine_bytes=lambda _project: 50_000)) as storage:
        for name in ("a", "b"):
            held = attrs.evolve(entry(quarantined=(_item(name),), project="shop"), request=kept(LARGE))
            await storage.append(held)
    async with store.records() as records:
        page = await records.quarantine_page()
        equal(page.rows, [row async for row in records.quarantine()][::-1])
        equal([row.get("kept", True) for row in page.rows], [False, True])
        [found] = (await records.quarantine_groups()).groups
        equal((found.count, found.example), (2, page.rows[0]["id"]))


@EMPTY.promise("answer with empty lists while nothing is held")
async def a_store_that_holds_nothing_has_no_groups_and_no_rows(store: Store) -> None:
    async with store.storage(StoreSettings()):
        pass
    async with store.records() as records:
        equal((await records.quarantine_groups()).groups, [])
        equal(await records.rejected_groups(), [])
        equal([await records.quarantine_page(), await records.rejected_page()], [Listed([], None)] * 2)
