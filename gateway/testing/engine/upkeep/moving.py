"""What moving a store promises, to SQLite, from it and to the same engine: everything comes along and works there."""

import asyncio
import contextlib
import json

import attrs

from gateway.clock import now
from gateway.operate.moving.move import Move
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.store_error import StoreError
from gateway.testing.engine.expect import equal, holds, raises
from gateway.testing.engine.given.filled import claimed, contents, entry, events, fill, mixed, receipts
from gateway.testing.engine.given.moves import Stores, move, opened, prepared, receipt_ids
from gateway.testing.engine.given.reading import positions_of
from gateway.testing.engine.promise import Family
from gateway.testing.engine.records import event_receipts

FAMILY = Family("moving", opened)


@FAMILY.promise(
    "let `move_source` give every table of gateway.storage.moving.TABLES and every event, and `move_target` keep them, "
    "positions of the old store included"
)
async def a_round_trip_keeps_everything(stores: Stores) -> None:
    (first, there), back = (stores.sqlite[0], stores.engine[0]), stores.sqlite[1]
    await fill(await prepared(first))
    moved = await move(first, there)
    equal(moved.events, 57)
    equal(await contents(open_store(there)), await contents(open_store(first)))
    ids = await receipt_ids(first)
    equal(await receipts(open_store(there), ids), await receipts(open_store(first), ids))
    equal(await move(there, back), moved)
    equal(await contents(open_store(back)), await contents(open_store(first)))
    equal(await receipts(open_store(back), ids), await receipts(open_store(first), ids))
    equal(await positions_of(open_store(back)), await positions_of(open_store(first)))


@FAMILY.promise("let `move_target` keep the positions that the old store had beside its own, and give them to the next")
async def what_was_first_in_this_engine_comes_back_as_it_was(stores: Stores) -> None:
    (first, back), there = stores.engine, stores.sqlite[0]
    old = await prepared(first)
    await fill(old, older=False)
    before, ids = await contents(old), await receipt_ids(first)
    await move(first, there)
    equal(await contents(open_store(there)), before)
    equal(await receipts(open_store(there), ids), await receipts(old, ids))
    await move(there, back)
    equal(await contents(open_store(back)), before)
    equal(await receipts(open_store(back), ids), await receipts(old, ids))
    equal(await positions_of(open_store(back)), await positions_of(old))


@FAMILY.promise("keep the positions of events that come from a store of the same engine")
async def a_move_to_the_same_engine_keeps_the_positions(stores: Stores) -> None:
    source, target = stores.engine
    await fill(await prepared(source))
    await move(source, target)
    equal(await contents(open_store(target)), await contents(open_store(source)))
    equal(await positions_of(open_store(target)), await positions_of(open_store(source)))


@FAMILY.promise("let `parse_position` and all that takes a position take one of the store that was moved too")
async def an_old_position_is_another_name_of_the_new_one(stores: Stores) -> None:
    for way in stores.ways:
        source, target = await prepared(way[0]), open_store(way[1])
        await fill(source)
        old = await positions_of(source)
        await move(*way)
        new = await positions_of(target)
        async with target.log() as log:
            for name, position in old.items():
                named = log.parse_position(str(position))
                [(found, line)] = await log.at([named])
                equal((found, json.loads(line)["message_id"]), (new[name], name))
                equal((await log.page(named)).positions, (await log.page(new[name])).positions)
                equal((await log.page_back(named)).positions, (await log.page_back(new[name])).positions)


@FAMILY.promise("let `receipt_of` take a position of the store that was moved too")
async def an_event_leads_to_its_receipt_by_its_old_position_too(stores: Stores) -> None:
    for way in stores.ways:
        source, target = await prepared(way[0]), open_store(way[1])
        expected, _ = await event_receipts.fill(source)
        old = await positions_of(source)
        await move(*way)
        async with target.records() as records:
            for where in (old, await positions_of(target)):
                found = {name: await event_receipts.receipt_of(records, each) for name, each in where.items()}
                equal(found, expected)


@FAMILY.promise(
    "move dedupe keys, idempotency records and the keys of quarantined items: retries come after the move too"
)
async def what_was_sent_before_is_a_duplicate_after(stores: Stores) -> None:
    for way in stores.ways:
        source, target = await prepared(way[0]), open_store(way[1])
        await fill(source)
        async with source.storage(StoreSettings()) as storage:
            first = await storage.append(claimed(70, 71))
        await move(*way)
        async with target.storage(StoreSettings()) as storage:
            again = await storage.append(claimed(70, 71))
            equal((again, again.receipt), (first, first.receipt))
            equal((await storage.append(entry(events(1, 39, 200)))).duplicates, (0, 1))
            quarantined = attrs.evolve(mixed(), rows=(), outcomes=())
            with_outcomes = attrs.evolve(quarantined, outcomes=mixed().outcomes[2:4])
            # One was replayed, so that an event has its key; the other is still there.
            equal((await storage.append(with_outcomes)).duplicates, (0, 1))
            dropped = await storage.append(attrs.evolve(entry(()), resolves=2))
            equal((dropped.status.value, (await storage.append(with_outcomes)).duplicates), ("new", (0,)))


@FAMILY.promise("remember in the target that it is filled, and from which store (MoveSource.identity)")
async def a_move_that_is_finished_says_so_and_changes_nothing(stores: Stores) -> None:
    for way in stores.ways:
        await fill(await prepared(way[0]))
        moved = await move(*way)
        target = open_store(way[1])
        async with target.storage(StoreSettings()) as storage:
            await storage.append(entry(events(300)))
        before = await contents(target)
        equal(await move(*way), attrs.evolve(moved, was_finished=True))
        equal(await contents(target), before)


@FAMILY.promise("refuse with StoreError to fill a store in which there is something")
async def only_an_empty_store_is_filled(stores: Stores) -> None:
    for way in stores.ways:
        await fill(await prepared(way[0]))
        target = await prepared(way[1])
        async with target.keys(make=True) as keys:
            await keys.new_admin_token()
        async with target.storage(StoreSettings()) as storage:
            await storage.append(entry(events(1)))
        with raises(StoreError, match="is not empty: only a new"):
            await move(*way)


@FAMILY.promise("refuse with StoreError to open the writer of a store that a move has filled in part, and let it go on")
async def nobody_writes_into_a_store_that_is_filled_in_part(stores: Stores) -> None:
    said: list[str] = []

    def interrupt(_count: int) -> None:
        raise KeyError

    for way in stores.ways:
        source, target = await prepared(way[0]), open_store(way[1])
        await fill(source)
        async with source.move_source() as old, target.move_target() as new:
            with raises(KeyError):
                await Move(old, new, said.append, interrupt).run()
        with raises(StoreError, match="is not finished; run `gateway storage move` again to its end"):
            async with target.storage(StoreSettings()):
                pass
        await move(*way)
        equal(await contents(target), await contents(source))


@FAMILY.promise("compare the identity of the source with the one that the target was filled from")
async def another_source_is_refused(stores: Stores) -> None:
    source, target = stores.sqlite[0], stores.engine[0]
    await fill(await prepared(source))
    await move(source, target)
    other = stores.sqlite[1]
    await fill(await prepared(other))
    with raises(StoreError, match="has been filled from another store"):
        await move(other, target)


@FAMILY.promise("let `rows` and `log` of a source give what was added since a mark, while a gateway runs on it")
async def what_comes_while_it_is_moved_comes_along(stores: Stores) -> None:
    for way in stores.ways:
        source, target = await prepared(way[0]), open_store(way[1])
        await fill(source)
        said: list[str] = []
        sent = 0
        async with contextlib.AsyncExitStack() as stack:
            if source.directory is not None:
                stack.enter_context(source.directory.lock())
            storage = await stack.enter_async_context(source.storage(StoreSettings()))
            moving = asyncio.create_task(move(*way, said))
            while not said or sent < 200:
                await storage.append(entry(events(1000 + sent), at=now()))
                await storage.append(claimed(1000 + sent, at=now()))
                sent += 1
            holds(not moving.done())
        moved = await moving
        equal(moved.events, sent + 57)
        equal(await contents(target), await contents(source))
