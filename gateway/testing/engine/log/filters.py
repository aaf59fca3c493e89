"""What a filter promises: by its fields, its time and its person."""

import asyncio
import itertools
from typing import Any

import attrs

from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.read import EventFilter
from gateway.testing.engine.expect import equal
from gateway.testing.engine.given.entries import entry
from gateway.testing.engine.given.lines import MINUTE, START, line
from gateway.testing.engine.given.log import Log, lines_of, of, opened, read_back
from gateway.testing.engine.promise import Family

FAMILY = Family("filters", opened)


FILTERS = {
    "project": ("shop", "blog"),
    "dialect": ("toy", "acme"),
    "type": ("track", "page"),
    "name": ("Signed Up", None),
}


@FAMILY.promise(
    "let `page`, `page_back` and `count` read the events that meet every condition of the EventFilter that is not None"
)
async def each_condition_and_all_together_narrow_what_is_read(log: Log) -> None:
    choices = [dict(zip(FILTERS, each, strict=True)) for each in itertools.product(*FILTERS.values())]
    lines = [line(number, **chosen) for number, chosen in enumerate(choices)]  # type: ignore[arg-type]
    await log.storage.append(of(*lines))

    for asked in itertools.product(*[(None, value[0]) for value in FILTERS.values()]):
        conditions: dict[str, Any] = dict(zip(FILTERS, asked, strict=True))
        where = EventFilter(**conditions)
        expected = [
            each
            for each, chosen in zip(lines, choices, strict=True)
            if all(wanted in (None, has) for wanted, has in zip(asked, chosen.values(), strict=True))
        ]
        equal(await lines_of(log.reader, where), expected)
        equal([each for _, each in await read_back(log.reader, where)], expected)
        equal(await log.reader.count(where), len(expected))


@FAMILY.promise(
    "compare `message_id`, `user_id` and `anonymous_id` of the event itself, exactly, never those inside its "
    "properties; a text that is no UTF-8 finds nothing"
)
async def events_are_found_by_their_id_and_by_their_person(log: Log) -> None:
    ada: dict[str, Any] = {"user_id": "ada", "anonymous_id": "a-1"}
    bob: dict[str, Any] = {"user_id": None, "anonymous_id": "bob"}
    quoted: dict[str, Any] = {"user_id": 'a"d\\a', "anonymous_id": None}
    lines = [
        line(1, **ada),
        line(2, **bob),
        line(3, **quoted),
        line(1, "blog", anonymous_id="ada"),
        line(4, user_id="ad", properties={"user_id": "ada", "message_id": "m-1", "x": "\\"}, previous_id="ada"),
        line(5, name='","message_id":"m-1","user_id":"ada"'),
        line(6),
    ]
    await log.storage.append(of(*lines))

    async def found(**conditions: Any) -> list[int]:
        where = EventFilter(**conditions)
        events = await lines_of(log.reader, where)
        equal([each for _, each in await read_back(log.reader, where)], events)
        equal(await log.reader.count(where), len(events))
        return [lines.index(each) for each in events]

    equal(await found(message_id="m-1"), [0, 3])
    equal(await found(message_id="m-1", project="blog"), [3])
    equal(await found(message_id="m"), [])
    equal(await found(person="ada"), [0, 3])
    equal(await found(person="a-1"), [0])
    equal(await found(person="bob", type="track", since=START, before=START + 1), [1])
    equal(await found(person="bob", since=START + 1), [])
    equal(await found(person='a"d\\a'), [2])
    equal(await found(person="ada", message_id="m-1", project="shop"), [0])
    equal(await found(person="null"), [])
    equal(await found(person="\udce4"), [])


HOSTILE_NAMES = [
    '","type":"page"',
    'x","type":"page","name":"Home',
    "\\",
    '\\"',
    '\\","type":"page',
    '{"project":"shop","dialect":"toy","type":"page"',
    "page",
    "null",
    "",
    "\u2028\n\t\0",
    "Home\x7f",
    "žluťoučký 🐎",
    "a" * 200_000,
    "%", "_", "*", ".*", "'",
]  # fmt: skip


@FAMILY.promise(
    "parse an event, or keep its fields in columns: to search its line for text finds what a client wrote into"
    " another field"
)
async def a_name_is_matched_exactly_and_never_passes_for_another_field(log: Log) -> None:
    lines = [line(number, name=name) for number, name in enumerate(HOSTILE_NAMES)]
    hidden = line(100, properties={"type": "page", "name": "page", "project": "blog", "x": {"dialect": "acme"}})
    page = line(101, type="page", name="Home")
    await log.storage.append(of(*lines, hidden, page))

    equal(await lines_of(log.reader, EventFilter(type="page")), [page])
    equal(await lines_of(log.reader, EventFilter(name="Home")), [page])
    equal(await lines_of(log.reader, EventFilter(project="blog")), [])
    equal(await lines_of(log.reader, EventFilter(dialect="acme")), [])
    for name, each in zip(HOSTILE_NAMES, lines, strict=True):
        equal(await lines_of(log.reader, EventFilter(name=name)), [each])
        equal(await lines_of(log.reader, EventFilter(name=name, type="track", since=START)), [each])
        equal(await lines_of(log.reader, EventFilter(name=name, type="page")), [])
    equal(await lines_of(log.reader, EventFilter(name="\udce4")), [])  # a byte of a command line that is not UTF-8


@FAMILY.promise(
    "`since` and `before` are compared with Entry.received_at; any number of milliseconds is a bound, also one"
    " that no date has"
)
async def since_includes_and_before_excludes(log: Log) -> None:
    times = [START + step for step in (-MINUTE, -1, 0, 1, MINUTE - 1, MINUTE, 24 * 60 * MINUTE)]
    for at in times:
        await log.storage.append(of(line(at=at), at=at))
    edges = [None, 0, -(10**17), 10**17, *times, *[at + 1 for at in times]]
    for since, before in itertools.product(edges, edges):
        where = EventFilter(since=since, before=before)
        expected = [line(at=at) for at in times if (since is None or since <= at) and (before is None or at < before)]
        equal(await lines_of(log.reader, where), expected)
        equal([each for _, each in await read_back(log.reader, where)], expected)
        equal(await log.reader.count(where), len(expected))


@FAMILY.promise("do not take it that received_at ascends with the positions")
async def a_clock_that_is_set_back_and_forth_hides_no_event(log: Log) -> None:
    minutes = [0, 1, 2, 300, 301, 2, 1, 0, -600, 3, 4, 5_000_000, 4, 5, 5, 6]
    times = [START + minute * MINUTE for minute in minutes]
    for number, at in enumerate(times):
        await log.storage.append(of(line(number, at=at), at=at))
    for since, before in itertools.product([None, *sorted(set(times))], repeat=2):
        where = EventFilter(since=since, before=before)
        expected = [
            line(number, at=at)
            for number, at in enumerate(times)
            if (since is None or since <= at) and (before is None or at < before)
        ]
        equal(await lines_of(log.reader, where), expected)
        equal([each for _, each in await read_back(log.reader, where)], expected)


@FAMILY.promise("keep the time of each entry, not one for a whole commit")
async def entries_of_many_times_in_one_group_are_all_found(log: Log) -> None:
    times = [START + number * 7 * MINUTE for number in range(50)]
    await asyncio.gather(*[log.storage.append(of(line(at=at), line(at=at), at=at)) for at in times])
    for at in times:
        equal(await lines_of(log.reader, EventFilter(since=at, before=at + 1)), [line(at=at)] * 2)


@FAMILY.promise(
    "an entry that replays a quarantined item (Entry.resolves) has rows with the received_at of the item, not "
    "that of the replay"
)
async def an_item_that_is_replayed_late_is_found_at_the_time_when_it_was_received(log: Log) -> None:
    now = START + 600 * MINUTE
    held = attrs.evolve(entry(quarantined=(QuarantinedItem("m", b"[]", b"{}"),)), received_at=START)
    await log.storage.append(held)
    await log.storage.append(of(line(1, at=now), at=now))
    replay = Entry("shop", "toy", "track", now, (EventRow(line(2, at=START)),), resolves=1)
    await log.storage.append(replay)
    await log.storage.append(of(line(3, at=now), at=now))

    equal(await lines_of(log.reader, EventFilter(before=now)), [line(2, at=START)])
    equal(await lines_of(log.reader, EventFilter(since=now)), [line(1, at=now), line(3, at=now)])
