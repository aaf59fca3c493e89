"""What every reader of the log promises. Another engine joins by one more entry in ENGINES."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import attrs
import pytest

from gateway.storage.contract import Entry, EventRow, QuarantinedItem, Storage
from gateway.storage.engines import open_store
from gateway.storage.read import EVERYTHING, EventFilter, LogReader, Position, export, follow, last_events
from gateway.storage.store import StoreSettings
from tests.kit.event_lines import MINUTE, START, line
from tests.kit.log_reading import reading
from tests.storage.respelled import Respelled
from tests.storage.stores import entry, opened


@attrs.frozen
class Log:
    """A store with room for any number of events, and a reader of it.

    `has_columns` says whether what a filter asks for is in columns. Then an event that is not asked for is not read,
    and does not count in the bytes of a page; and what is no event cannot be appended.
    """

    storage: Storage
    reader: LogReader
    has_columns: bool = False


@asynccontextmanager
async def sqlite(request: pytest.FixtureRequest) -> AsyncIterator[Log]:
    path = request.getfixturevalue("tmp_path") / "data"
    async with opened(path) as (storage, _), reading(path) as reader:
        yield Log(storage, reader)


@asynccontextmanager
async def postgres(request: pytest.FixtureRequest) -> AsyncIterator[Log]:
    store = open_store(request.getfixturevalue("prepared"))
    async with store.storage(StoreSettings()) as storage, store.log() as reader:
        yield Log(storage, Respelled(reader), has_columns=True)


ENGINES: list[Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Log]]] = [sqlite, postgres]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.__name__)
async def log(request: pytest.FixtureRequest) -> AsyncIterator[Log]:
    async with request.param(request) as found:
        yield found


def of(*lines: bytes, at: int = START) -> Entry:
    """An entry with these events."""
    return attrs.evolve(entry(*[EventRow(each) for each in lines]), received_at=at)


async def read(
    reader: LogReader, where: EventFilter = EVERYTHING, after: Position | None = None
) -> list[tuple[Position, bytes]]:
    return [event async for page in export(reader, after, where) for event in page.events]


async def lines_of(reader: LogReader, where: EventFilter = EVERYTHING) -> list[bytes]:
    return [each for _, each in await read(reader, where)]


async def read_back(reader: LogReader, where: EventFilter = EVERYTHING) -> list[tuple[Position, bytes]]:
    """Read from the end to the beginning, and put it in order."""
    pages = []
    until, more = None, True
    while more:
        page = await reader.page_back(until, where)
        pages.append(list(page.events))
        until, more = page.cursor, page.more
    return [event for page in reversed(pages) for event in page]


async def test_a_log_without_events_has_an_empty_page_and_a_point_to_go_on_from(log: Log) -> None:
    page = await log.reader.page()
    assert (list(page.events), page.more, page.cursor) == ([], False, await log.reader.newest())
    assert (await read_back(log.reader), await log.reader.count()) == ([], 0)

    await log.storage.append(of(line(1)))

    assert [each for _, each in await read(log.reader, after=page.cursor)] == [line(1)]


async def test_every_event_is_read_once_in_order_from_any_position_in_both_directions(log: Log) -> None:
    lines = [line(number) for number in range(2001)]
    for start in range(0, 2001, 100):
        await log.storage.append(of(*lines[start : start + 100]))

    everything = await read(log.reader)
    assert [each for _, each in everything] == lines
    assert await read_back(log.reader) == everything
    for index in (0, 1, 99, 100, 1234, 1999, 2000):
        position = everything[index][0]
        assert await read(log.reader, after=position) == everything[index + 1 :]
        assert await last_events(log.reader, 3, position) == lines[max(0, index - 2) : index + 1]
    assert (await log.reader.count(), await log.reader.newest()) == (2001, everything[-1][0])


async def test_a_position_is_written_and_read_back_as_text_and_as_json(log: Log) -> None:
    await log.storage.append(of(line(1), line(2), line(3)))
    (first, _), *rest = await read(log.reader)

    assert log.reader.parse_position(str(first)) == first == json.loads(json.dumps(first))
    assert await read(log.reader, after=log.reader.parse_position(str(first))) == rest
    assert await read(log.reader, after=await log.reader.newest()) == []


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "-1", "+1", "1.0", "1e3", "0x1", "१", "9" * 19, "'; --", "\n1", "1_0"]
)
async def test_what_is_no_position_is_refused(log: Log, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the message is the text alone)
        log.reader.parse_position(text)


FILTERS = {
    "project": ("shop", "blog"),
    "dialect": ("toy", "acme"),
    "type": ("track", "page"),
    "name": ("Signed Up", None),
}


async def test_each_condition_and_all_together_narrow_what_is_read(log: Log) -> None:
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
        assert await lines_of(log.reader, where) == expected
        assert [each for _, each in await read_back(log.reader, where)] == expected
        assert await log.reader.count(where) == len(expected)


async def test_events_are_found_by_their_id_and_by_their_person(log: Log) -> None:
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
        assert [each for _, each in await read_back(log.reader, where)] == events
        assert await log.reader.count(where) == len(events)
        return [lines.index(each) for each in events]

    assert await found(message_id="m-1") == [0, 3]
    assert await found(message_id="m-1", project="blog") == [3]
    assert await found(message_id="m") == []
    assert await found(person="ada") == [0, 3]
    assert await found(person="a-1") == [0]
    assert await found(person="bob", type="track", since=START, before=START + 1) == [1]
    assert await found(person="bob", since=START + 1) == []
    assert await found(person='a"d\\a') == [2]
    assert await found(person="ada", message_id="m-1", project="shop") == [0]
    assert await found(person="null") == []
    assert await found(person="\udce4") == []


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


async def test_a_name_is_matched_exactly_and_never_passes_for_another_field(log: Log) -> None:
    lines = [line(number, name=name) for number, name in enumerate(HOSTILE_NAMES)]
    hidden = line(100, properties={"type": "page", "name": "page", "project": "blog", "x": {"dialect": "acme"}})
    page = line(101, type="page", name="Home")
    await log.storage.append(of(*lines, hidden, page))

    assert await lines_of(log.reader, EventFilter(type="page")) == [page]
    assert await lines_of(log.reader, EventFilter(name="Home")) == [page]
    assert await lines_of(log.reader, EventFilter(project="blog")) == []
    assert await lines_of(log.reader, EventFilter(dialect="acme")) == []
    for name, each in zip(HOSTILE_NAMES, lines, strict=True):
        assert await lines_of(log.reader, EventFilter(name=name)) == [each]
        assert await lines_of(log.reader, EventFilter(name=name, type="track", since=START)) == [each]
        assert await lines_of(log.reader, EventFilter(name=name, type="page")) == []
    assert await lines_of(log.reader, EventFilter(name="\udce4")) == []  # a byte of a command line that is not UTF-8


async def test_since_includes_and_before_excludes(log: Log) -> None:
    times = [START + step for step in (-MINUTE, -1, 0, 1, MINUTE - 1, MINUTE, 24 * 60 * MINUTE)]
    for at in times:
        await log.storage.append(of(line(at=at), at=at))
    edges = [None, 0, -(10**17), 10**17, *times, *[at + 1 for at in times]]
    for since, before in itertools.product(edges, edges):
        where = EventFilter(since=since, before=before)
        expected = [line(at=at) for at in times if (since is None or since <= at) and (before is None or at < before)]
        assert await lines_of(log.reader, where) == expected
        assert [each for _, each in await read_back(log.reader, where)] == expected
        assert await log.reader.count(where) == len(expected)


async def test_a_clock_that_is_set_back_and_forth_hides_no_event(log: Log) -> None:
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
        assert await lines_of(log.reader, where) == expected
        assert [each for _, each in await read_back(log.reader, where)] == expected


async def test_entries_of_many_times_in_one_group_are_all_found(log: Log) -> None:
    times = [START + number * 7 * MINUTE for number in range(50)]
    await asyncio.gather(*[log.storage.append(of(line(at=at), line(at=at), at=at)) for at in times])
    for at in times:
        assert await lines_of(log.reader, EventFilter(since=at, before=at + 1)) == [line(at=at)] * 2


async def test_an_item_that_is_replayed_late_is_found_at_the_time_when_it_was_received(log: Log) -> None:
    now = START + 600 * MINUTE
    held = attrs.evolve(entry(quarantined=(QuarantinedItem("m", b"[]", b"{}"),)), received_at=START)
    await log.storage.append(held)
    await log.storage.append(of(line(1, at=now), at=now))
    replay = Entry("shop", "toy", "track", now, (EventRow(line(2, at=START)),), resolves=1)
    await log.storage.append(replay)
    await log.storage.append(of(line(3, at=now), at=now))

    assert await lines_of(log.reader, EventFilter(before=now)) == [line(2, at=START)]
    assert await lines_of(log.reader, EventFilter(since=now)) == [line(1, at=now), line(3, at=now)]


async def test_a_page_ends_though_its_filter_lets_nothing_through(log: Log) -> None:
    for number in range(10):
        await log.storage.append(of(line(number, properties={"fill": "x" * 1_000_000})))

    for where in (EventFilter(project="none"), EventFilter(name="none", since=START)):
        page = await log.reader.page(None, where)
        assert (list(page.events), page.more) == ([], not log.has_columns)
        back = await log.reader.page_back(None, where)
        assert (list(back.events), back.more) == ([], not log.has_columns)
        assert await lines_of(log.reader, where) == []
    page = await log.reader.page()
    assert (0 < len(page.lines) < 10, page.more, page.cursor) == (True, True, page.positions[-1])


async def test_events_are_read_at_their_positions_in_the_order_asked_for(log: Log) -> None:
    for number in range(0, 30, 3):
        await log.storage.append(of(*[line(each) for each in range(number, number + 3)]))
    everything = await read(log.reader)
    order = [20, 21, 3, 4, 4, 29, 0]

    assert await log.reader.at([everything[each][0] for each in order]) == [everything[each] for each in order]
    assert await log.reader.at([]) == []


async def test_a_reader_beside_a_writer_skips_and_doubles_nothing(log: Log) -> None:
    total, written = 600, 0

    async def write() -> None:
        nonlocal written
        while written < total:
            batch = range(written, written + 1 + written % 7)
            await log.storage.append(of(*[line(number) for number in batch]))
            written = batch.stop

    writing = asyncio.create_task(write())

    async def pause() -> bool:
        at_end.append(len(seen))
        await asyncio.sleep(0)
        return not writing.done() or len(seen) < written

    seen: list[bytes] = []
    at_end: list[int] = []
    async for page in follow(log.reader, None, EVERYTHING, pause):
        seen += page.lines
    await writing

    assert seen == [line(number) for number in range(written)]
    assert len(set(at_end)) > 1  # it was at the end more than once, and went on


async def test_events_that_come_between_two_pages_are_seen_once(log: Log) -> None:
    large = [line(number, properties={"fill": "x" * 1_000_000}) for number in range(6)]
    await log.storage.append(of(*large))
    first = await log.reader.page()
    await log.storage.append(of(line(7), at=START - MINUTE))

    rest = await read(log.reader, after=first.cursor)

    assert [*first.lines, *[each for _, each in rest]] == [*large, line(7)]


async def test_following_yields_new_events_that_are_asked_for_until_its_pause_ends_it(log: Log) -> None:
    await log.storage.append(of(line(1), line(2)))
    batches: list[Sequence[bytes]] = [[line(3), line(4, project="blog")], [line(5, project="blog")], [line(6)]]

    async def pause() -> bool:
        if not batches:
            return False
        await log.storage.append(of(*batches.pop(0)))
        return True

    start = (await read(log.reader))[0][0]
    pages = [page.lines async for page in follow(log.reader, start, EventFilter(project="shop"), pause)]

    assert pages == [[line(2)], [line(3)], [line(6)]]


async def test_the_last_events_that_are_asked_for_are_found_from_the_end(log: Log) -> None:
    lines = [line(number, project=("shop", "blog")[number % 2]) for number in range(40)]
    for each in lines:
        await log.storage.append(of(each))
    newest = await log.reader.newest()

    assert await last_events(log.reader, 3, newest, EventFilter(project="shop")) == lines[34::2]
    assert await last_events(log.reader, 0, newest) == []
    assert await last_events(log.reader, 1000, newest) == lines
