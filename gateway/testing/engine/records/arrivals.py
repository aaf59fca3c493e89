"""What every engine's Records promise of looks at what is held: new items come once, the newest of many."""

from contextlib import AsyncExitStack

import attrs

from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Entry, QuarantinedItem
from gateway.storage.records import NewRows
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.expect import equal
from gateway.testing.engine.given.entries import entry, kept
from gateway.testing.engine.given.rejections import rejection
from gateway.testing.engine.promise import Family, ready_store

FAMILY = Family("arrivals", ready_store)

RAW = RawRequest("POST", "/batch", b"{}", b"{}", b"{}")
FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'


def held(*names: str) -> Entry:
    items = tuple([QuarantinedItem(name, FAULTS, b"{}", None, index) for index, name in enumerate(names)])
    return attrs.evolve(entry(quarantined=items), request=kept(RAW))


def seen(new: NewRows) -> tuple[list[object], int]:
    return [each["message_id"] for each in new.rows], new.count


@FAMILY.promise(
    "let the mark of new_quarantined name what was looked at, also where several processes draw numbers; "
    "`count` is of all new items, `rows` are the newest of them"
)
async def items_that_are_quarantined_come_once_whichever_process_wrote_them(store: Store) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(store.storage(StoreSettings()))
        # On SQLite one process writes; on PostgreSQL each has numbers of its own.
        second = first if store.directory else await stack.enter_async_context(store.storage(StoreSettings()))
        records = await stack.enter_async_context(store.records())
        await second.append(held("old"))
        start = await records.new_quarantined()
        equal(seen(start), ([], 0))
        equal(seen(await records.new_quarantined(start.mark)), ([], 0))

        receipt = (await first.append(held("a", "b"))).receipt
        new = await records.new_quarantined(start.mark)
        equal(seen(new), (["a", "b"], 2))
        [listed] = [each async for each in records.quarantine() if each["message_id"] == "b"]
        equal(new.rows[1], {name: value for name, value in listed.items() if name != "payload"})
        equal((listed["receipt"], listed["item"]), (f"{receipt:x}", 1))

        await second.append(held("c"))
        await first.append(held("d"))
        both = await records.new_quarantined(new.mark)
        equal((sorted(map(str, seen(both)[0])), both.count), (["c", "d"], 2))
        for number in range(30):
            await first.append(held(f"e{number}", f"f{number}"))
        many = await records.new_quarantined(both.mark, most=3)
        equal(seen(many), (["f28", "e29", "f29"], 60))
        equal(seen(await records.new_quarantined(many.mark)), ([], 0))


@FAMILY.promise("let the mark of new_rejected name the last request that was looked at")
async def requests_that_are_rejected_come_once(store: Store) -> None:
    async with store.storage(StoreSettings()), store.records() as records:
        nothing = await records.new_rejected()
        equal((nothing.rows, nothing.count), ((), 0))
        mark = nothing.mark
        for number in (1, 4):
            log = store.rejected_log(StoreSettings())
            async with log.running():
                for _ in range(number):
                    log.add(rejection("shop", items=2))
            new = await records.new_rejected(mark, most=3)
            everything = [each async for each in records.rejected_requests()]
            equal((list(new.rows), new.count), (everything[-min(number, 3) :], number))
            mark = new.mark
        equal(list((await records.new_rejected(mark)).rows), [])
        later = await records.new_rejected()
        equal(list((await records.new_rejected(later.mark)).rows), [])
