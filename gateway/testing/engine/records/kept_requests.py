"""What is promised of the requests of stored events, and of lines that are written anew."""

import json
import random

import attrs

from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import EventRow
from gateway.storage.read import Position, export
from gateway.storage.records import RawEvents
from gateway.storage.store import Store
from gateway.testing.engine.expect import equal
from gateway.testing.engine.given.entries import entry, kept, key
from gateway.testing.engine.given.reading import positions_of
from gateway.testing.engine.given.receipts import RAW, START, at, bad, event, number_of, opened
from gateway.testing.engine.promise import Family, ready_store

FAMILY = Family("kept requests", ready_store)


@FAMILY.promise(
    "keep Entry.raw_compressed with the events of its entry, and with the events that its quarantined items "
    "become later, by the index of the item"
)
async def kept_requests_come_with_the_events_that_they_became_oldest_first(store: Store) -> None:
    def raw(number: int) -> RawRequest:
        return attrs.evolve(RAW, body=f"request {number}".encode())

    async with opened(store) as (storage, records):
        first = await storage.append(
            attrs.evolve(
                entry(event("a"), event("b"), quarantined=(bad("q", 2), bad("r", 3))),
                raw_compressed=compress(raw(0)),
                request=kept(raw(0)),
            )
        )
        second = await storage.append(
            at(
                1,
                attrs.evolve(
                    entry(event("c"), event("c"), event("d"), project="blog"), raw_compressed=compress(raw(1))
                ),
            )
        )
        await storage.append(at(2, entry(event("no request"))))
        await storage.append(at(86_400, attrs.evolve(entry(event("q")), resolves=await number_of(records, "q"))))
        where = await positions_of(store)
        lines = {name: event(name).body for name in where}
        found = [each async for each in records.raw_events()]
        equal(
            [(each.receipt, each.received_at, each.project, each.dialect, each.route) for each in found],
            [
                (first.receipt, START * 1000, "p", "toy", "track"),
                (second.receipt, START * 1000 + 1000, "blog", "toy", "track"),
            ],
        )
        equal([each.raw for each in found], [raw(0), raw(1)])
        equal(
            [parsed(each) for each in found],
            [
                {index: (where[name], json.loads(lines[name])) for index, name in ((0, "a"), (1, "b"), (2, "q"))},
                {index: (where[name], json.loads(lines[name])) for index, name in ((0, "c"), (2, "d"))},
            ],
        )
        equal([each.receipt async for each in records.raw_events("blog")], [second.receipt])
        equal([each async for each in records.raw_events("nobody")], [])


def parsed(kept_events: RawEvents) -> dict[int, tuple[Position, object]]:
    return {index: (position, json.loads(line)) for index, (position, line) in kept_events.events.items()}


@FAMILY.promise("read kept requests page by page, each bounded in bytes, and go on behind the last one")
async def more_kept_requests_than_a_page_has_come_each_once(store: Store) -> None:
    async with opened(store) as (storage, records):
        for number in range(250):
            of_one = entry(event(f"m{number}"), project=f"p{number % 3}")
            large = compress(attrs.evolve(RAW, body=bytes(1000)))
            await storage.append(at(number / 10, attrs.evolve(of_one, raw_compressed=large)))
        found = [each async for each in records.raw_events()]
        equal([json.loads(each.events[0][1])["message_id"] for each in found], [f"m{n}" for n in range(250)])
        huge = random.Random(1).randbytes(3 << 20)
        for number in range(3):
            of_one = attrs.evolve(entry(event(f"huge{number}")), raw_compressed=compress(attrs.evolve(RAW, body=huge)))
            await storage.append(at(100 + number, of_one))
        equal([len(each.raw.body) async for each in records.raw_events("p")], [3 << 20] * 3)
        one = [each.receipt async for each in records.raw_events("p1")]
        equal(one, [each.receipt for each in found if each.project == "p1"])


@FAMILY.promise("`rewrite` replaces a line only where the store has the old one, and returns how many it replaced")
async def a_line_is_replaced_where_it_is_still_the_old_one(store: Store) -> None:
    def line(name: str, to: str) -> bytes:
        event = {"project": "p", "dialect": "toy", "type": "track", "name": to, "message_id": name, "user_id": None}
        return json.dumps({**event, "timestamp": "2023-11-14T22:13:20.000Z", "properties": {"a": 1.50}}).encode()

    async with opened(store) as (storage, records):
        for name in "abc":
            await storage.append(entry(EventRow(line(name, "old"), key(name))))
        where = await positions_of(store)
        changes = [
            (where["a"], line("a", "old"), line("a", "new \0 name")),
            (where["b"], line("b", "other"), line("b", "new")),
            (where["c"], line("c", "old"), line("c", "new")),
        ]
        equal(await records.rewrite(changes[:2]), 1)
        equal(await records.rewrite(changes), 1)
        equal(await records.rewrite([]), 0)
        async with store.log() as log:
            events = [json.loads(each) async for page in export(log) for each in page.lines]
        equal(events, [json.loads(line(*each)) for each in (("a", "new \0 name"), ("b", "old"), ("c", "new"))])
