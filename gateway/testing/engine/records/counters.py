"""What every engine counts: totals and counts by time, in the same commit as what they count."""

import time
from collections import Counter

import attrs

from gateway.operate import counters
from gateway.operate.counters import TotalsSince
from gateway.storage.contract import Entry, QuarantinedItem
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.expect import equal, holds
from gateway.testing.engine.given.entries import entry, key, row
from gateway.testing.engine.given.receipts import opened
from gateway.testing.engine.given.rejections import rejection
from gateway.testing.engine.promise import Family, ready_store

FAMILY = Family("counters", ready_store)

DAY = 86_400
# Counts by minute of a longer time ago are soon forgotten.
FIRST_HOUR = int(time.time()) // 3600 * 3600 - 5 * 3600
START = FIRST_HOUR + 800
FIRST_MINUTE = START - 20


def at(seconds: float, given: Entry) -> Entry:
    return attrs.evolve(given, received_at=int((START + seconds) * 1000))


@FAMILY.promise(
    "count in the commit of an entry, by verdict, project and dialect: in all, and in the minute and the hour "
    "of its received_at; an item that is replayed moves from quarantined to stored at the time of the replay"
)
async def each_commit_counts_in_the_minute_and_the_hour_of_its_entries(store: Store) -> None:
    async with opened(store) as (storage, records):
        for seconds, given in (
            *((0, entry(row("a"))), (39, entry(row("b"))), (40, entry(row("a"), row("c")))),
            *((50, entry(row("d"), project="blog")),),
            *((3600, entry(quarantined=(QuarantinedItem("q", b"[]", b"{}", key("q")),))),),
        ):
            await storage.append(at(seconds, given))
        [held] = [each["id"] async for each in records.quarantine()]
        await storage.append(at(7200, attrs.evolve(entry(row("q")), resolves=held)))
        equal(
            await records.counter_buckets(60, 0),
            [
                (FIRST_MINUTE, "p", "toy", "received", 2),
                (FIRST_MINUTE, "p", "toy", "stored", 2),
                (FIRST_MINUTE + 60, "blog", "toy", "received", 1),
                (FIRST_MINUTE + 60, "blog", "toy", "stored", 1),
                (FIRST_MINUTE + 60, "p", "toy", "duplicate", 1),
                (FIRST_MINUTE + 60, "p", "toy", "received", 2),
                (FIRST_MINUTE + 60, "p", "toy", "stored", 1),
                (FIRST_MINUTE + 3600, "p", "toy", "quarantined", 1),
                (FIRST_MINUTE + 3600, "p", "toy", "received", 1),
                (FIRST_MINUTE + 7200, "p", "toy", "quarantined", -1),
                (FIRST_MINUTE + 7200, "p", "toy", "stored", 1),
            ],
        )
        equal(
            await records.counter_buckets(3600, START, "p", "toy"),
            [
                (FIRST_HOUR + 3600, "p", "toy", "quarantined", 1),
                (FIRST_HOUR + 3600, "p", "toy", "received", 1),
                (FIRST_HOUR + 7200, "p", "toy", "quarantined", -1),
                (FIRST_HOUR + 7200, "p", "toy", "stored", 1),
            ],
        )
        equal(await records.counter_buckets(3600, 0, dialect="other"), [])
        equal(
            await records.counter_buckets(3600, 0, "blog"),
            [
                (FIRST_HOUR, "blog", "toy", "received", 1),
                (FIRST_HOUR, "blog", "toy", "stored", 1),
            ],
        )
        equal(await records.counted_since(), None)
        equal(
            await records.counters(),
            [
                ("blog", "toy", "received", 1),
                ("blog", "toy", "stored", 1),
                ("p", "toy", "duplicate", 1),
                ("p", "toy", "quarantined", 0),
                ("p", "toy", "received", 5),
                ("p", "toy", "stored", 4),
            ],
        )
        for span in (60, 3600):
            summed: Counter[tuple[str, str, str]] = Counter()
            for _, project, dialect, verdict, count in await records.counter_buckets(span, 0):
                summed[project, dialect, verdict] += count
            equal(summed, await counters.totals(records))


@FAMILY.promise(
    "sum the buckets by the step that is asked for, from `since` until `before`, with the rejected items of "
    "the rejected log"
)
async def counts_are_summed_by_step_and_by_project_there_with_those_of_rejected_requests(store: Store) -> None:
    rejected_log = store.rejected_log(StoreSettings())
    async with rejected_log.running():
        for project, seconds in (("p", 45), ("p", 3605), (None, 10)):
            rejected_log.add(rejection(project, items=2, received_at=(START + seconds) * 1000))
    async with opened(store) as (storage, records):
        for seconds, given in (
            *((0, entry(row("a"))), (40, entry(row("a"), row("c"))), (3600, entry(row("d"), project="blog"))),
            (3610, entry(quarantined=(QuarantinedItem("q", b"[]", b"{}", key("q")),))),
        ):
            await storage.append(at(seconds, given))
        [held] = [each["id"] async for each in records.quarantine()]
        await storage.append(at(3620, attrs.evolve(entry(row("q")), resolves=held)))
        first, second = FIRST_HOUR + 600, FIRST_HOUR + 4200
        equal(await records.stored_by_time(60, FIRST_HOUR, 600), [(first, "toy", 2), (second, "toy", 2)])
        equal(await records.stored_by_time(3600, FIRST_HOUR + 3600, 7200, "blog"), [(second // 7200 * 7200, "toy", 1)])
        equal(
            await records.counts_by_project(60, FIRST_MINUTE + 60),
            [
                *(("blog", "toy", "received", 1), ("blog", "toy", "stored", 1)),
                *(("p", "toy", "duplicate", 1), ("p", "toy", "received", 3), ("p", "toy", "rejected", 4)),
                ("p", "toy", "stored", 2),
            ],
        )
        equal(
            await records.counts_by_project(3600, FIRST_HOUR, project="p"),
            [
                *(("p", "toy", "duplicate", 1), ("p", "toy", "received", 4), ("p", "toy", "rejected", 4)),
                ("p", "toy", "stored", 3),
            ],
        )
        equal(
            await records.counts_by_project(60, FIRST_MINUTE, FIRST_MINUTE + 60),
            [
                *(("", "toy", "rejected", 2), ("p", "toy", "received", 1), ("p", "toy", "stored", 1)),
            ],
        )
        holds(("", "toy", "rejected", 2) in await records.counts_by_project(3600, FIRST_HOUR))
        equal(await records.counts_by_project(3600, START + DAY), [])
        equal(await records.counts_by_project(3600, FIRST_HOUR, project="p\0"), [])
        equal(await records.stored_by_time(3600, FIRST_HOUR, 3600, "\0"), [])


@FAMILY.promise(
    "keep the buckets of minutes for two days and those of hours for longer, and answer from the finer ones"
)
async def totals_since_a_time_begin_with_the_bucket_that_it_lies_in(store: Store) -> None:
    def stored(count: int) -> Counter[tuple[str, str, str]]:
        return Counter({("p", "toy", "received"): count, ("p", "toy", "stored"): count})

    async with opened(store) as (storage, records):
        for seconds in (0, 39, 40, 3600):
            await storage.append(at(seconds, entry(row(seconds))))

        async def since(seconds: int, now: int) -> TotalsSince:
            return await counters.totals_since(records, (START + seconds) * 1000, (START + now) * 1000)

        equal(await since(30, 4000), TotalsSince(stored(4), FIRST_MINUTE * 1000))
        equal(await since(40, 4000), TotalsSince(stored(2), (FIRST_MINUTE + 60) * 1000))
        equal(await since(40, 3 * DAY), TotalsSince(stored(4), FIRST_HOUR * 1000))
        equal(await since(4000, 3 * DAY), TotalsSince(stored(1), (FIRST_HOUR + 3600) * 1000))
        equal(await since(7200, 3 * DAY), TotalsSince(Counter(), (FIRST_HOUR + 7200) * 1000))
