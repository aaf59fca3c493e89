"""What every engine keeps of rejected requests: bounded in bytes and age, counted, written by several at once."""

import asyncio
import time

from gateway.records.rejected_request import PendingRejection
from gateway.storage.rejected_log import MAX_WAITING
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.expect import equal
from gateway.testing.engine.given.rejections import rejection
from gateway.testing.engine.promise import Family, written_store

FAMILY = Family("rejected requests", written_store)


async def written(
    store: Store, *rounds: list[PendingRejection], most_bytes: int = 1 << 20, keep_seconds: float = 60.0
) -> None:
    waiting = store.rejected_log(StoreSettings(rejected_bytes=most_bytes, rejected_window=keep_seconds))
    for notes in rounds:
        async with waiting.running():
            for note in notes:
                waiting.add(note)


async def kept(store: Store, project: str | None = None) -> list[tuple[str | None, str]]:
    async with store.records() as records:
        return [(each["project"], each["path"]) async for each in records.rejected_requests(project)]


async def counts(store: Store) -> list[tuple[str, str, int]]:
    async with store.records() as records:
        return await records.rejected_counts()


@FAMILY.promise(
    "keep every field of a PendingRejection, give it a number, and let `mark_rejected` note what a replay came"
    " to, the first time only"
)
async def a_rejected_request_is_read_back_whole_and_marked(store: Store) -> None:
    at = 1_700_000_000_123
    keep = 100 * 365 * 86_400.0
    await written(store, [rejection(received_at=at), rejection(None, received_at=at, path="/y")], keep_seconds=keep)
    async with store.records() as records:
        first, second = [each async for each in records.rejected_requests()]
        listed = {
            "id": first["id"],
            "received_at": at,
            "project": "shop",
            "dialect": "toy",
            "route": "r",
            "reason": "invalid",
            "status": 400,
            "method": "POST",
            "path": "/x",
            "client_ip": None,
            "credential_id": None,
            "origin": None,
            "request_id": "r-1",
            "cut": False,
            "replayed": None,
            "faults": "[]",
        }
        equal(first, listed)
        equal(second, {**listed, "id": second["id"], "project": None, "path": "/y"})
        found = await records.rejected_request(first["id"])
        assert found is not None
        known, raw = found
        equal(known, first)
        equal((raw.method, raw.path, raw.query, raw.headers, raw.body), ("POST", "/x", b"{}", b"{}", b"x" * 1000))
        equal(await records.rejected_request(second["id"] + 1), None)
        await records.mark_rejected(first["id"], "2 stored")
        await records.mark_rejected(first["id"], "2 already stored")  # of somebody who replayed it at the same time
        equal([each["replayed"] async for each in records.rejected_requests()], ["2 stored", None])
    equal(await kept(store, "shop"), [("shop", "/x")])


@FAMILY.promise(
    "give the requests that no project is known for (project None) a part of rejected_bytes of their own, and "
    "drop the oldest of them"
)
async def strangers_cannot_push_out_what_clients_did_wrong(store: Store) -> None:
    ours = [rejection(path=f"/{number}") for number in range(3)]
    strangers = [rejection(None, path=f"/{number:05}") for number in range(400)]
    await written(store, ours, strangers[:200], strangers[200:], most_bytes=20_000)
    equal(await kept(store, "shop"), [("shop", f"/{number}") for number in range(3)])
    rows = await kept(store)
    equal(rows[:3], await kept(store, "shop"))
    equal(rows[3:], [(None, f"/{number:05}") for number in range(392, 400)])
    equal(await counts(store), [("", "toy", 400), ("shop", "toy", 3)])


@FAMILY.promise(
    "keep what was refused without an admitted credential in the part of the strangers, though it names a project"
)
async def somebody_who_only_knows_a_public_id_cannot_push_them_out_either(store: Store) -> None:
    clients = [rejection(path=f"/{number}") for number in range(3)]
    others = [rejection(admitted=False, path=f"/{number:05}") for number in range(200)]
    await written(store, clients, others, most_bytes=20_000)
    paths = [*[f"/{number}" for number in range(3)], *[f"/{number:05}" for number in range(192, 200)]]
    equal(await kept(store), [("shop", path) for path in paths])
    equal(await counts(store), [("shop", "toy", 203)])


@FAMILY.promise("count items that are rejected in all, by minute for two days, and by hour for 400 days")
async def rejections_are_counted_by_minute_and_hour_too_until_they_expire(store: Store) -> None:
    hour = 1_699_999_200  # in seconds since the epoch

    def at(second: int, project: str | None = "shop", items: int = 1) -> PendingRejection:
        return rejection(project, items=items, received_at=(hour + second) * 1000)

    await written(store, [at(0), at(59), at(60), at(60, None, 3)], [at(3600), at(61)])
    async with store.records() as records:
        equal(
            await records.rejected_buckets(60, 0),
            [
                (hour, "shop", "toy", 2),
                (hour + 60, "", "toy", 3),
                (hour + 60, "shop", "toy", 2),
                (hour + 3600, "shop", "toy", 1),
            ],
        )
        equal(
            await records.rejected_buckets(3600, hour),
            [
                (hour, "", "toy", 3),
                (hour, "shop", "toy", 4),
                (hour + 3600, "shop", "toy", 1),
            ],
        )
        equal(await records.rejected_buckets(3600, hour + 3600), [(hour + 3600, "shop", "toy", 1)])
        two_days, long = 2 * 86_400, 401 * 86_400
        await written(store, [at(two_days + 120)])
        equal([start - hour for start, *_ in await records.rejected_buckets(60, 0)], [3600, two_days + 120])
        await written(store, [at(long)])
        equal([start - hour for start, *_ in await records.rejected_buckets(3600, 0)], [two_days, long])
        equal(await records.rejected_counts(), [("", "toy", 3), ("shop", "toy", 7)])


@FAMILY.promise("drop requests that are older than StoreSettings.rejected_window")
async def what_is_too_old_goes(store: Store) -> None:
    now = time.time_ns() // 1_000_000
    old, young = [rejection(received_at=now - 61_000)] * 240, [rejection(received_at=now - 1000, path="/young")]
    await written(store, old, old, young, most_bytes=1 << 30)
    equal(await kept(store), [("shop", "/young")])


@FAMILY.promise(
    "use gateway.storage.rejected_log.RejectedRequestLog, which keeps MAX_WAITING requests between two writes,"
    " and count all"
)
async def what_comes_faster_than_it_is_written_is_counted_and_not_kept(store: Store) -> None:
    await written(store, [rejection(items=2) for _ in range(1000)], most_bytes=1 << 30)
    equal(len(await kept(store)), MAX_WAITING)
    equal(await counts(store), [("shop", "toy", 2000)])


@FAMILY.promise("count rejected items also where rejected_bytes is 0")
async def a_ring_without_room_only_counts(store: Store) -> None:
    await written(store, [rejection()], most_bytes=0)
    equal((await kept(store), await counts(store)), ([], [("shop", "toy", 1)]))


@FAMILY.promise("write a character that a column cannot hold (NUL) as U+FFFD")
async def text_that_is_no_text_is_kept_as_far_as_it_can_be(store: Store) -> None:
    await written(store, [rejection(path="/a\0b")])
    [(project, path)] = await kept(store)
    equal((project, path.replace("\ufffd", "\0")), ("shop", "/a\0b"))


@FAMILY.promise("add to the counters in a statement that several writers can run at once, such as an upsert")
async def several_processes_may_write_at_once(store: Store) -> None:
    rounds = [[rejection(name, path=f"/{number}") for name in ("blog", "shop")] * 25 for number in range(4)]
    await asyncio.gather(*[written(store, each, each, most_bytes=1 << 30) for each in rounds])
    equal(
        sorted(await kept(store), key=str),
        sorted([(name, f"/{number}") for name in ("blog", "shop") for number in range(4)] * 50, key=str),
    )
    equal(await counts(store), [("blog", "toy", 200), ("shop", "toy", 200)])
