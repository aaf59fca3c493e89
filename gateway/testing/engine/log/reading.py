"""What reading the log promises: pages, positions, both directions."""

import json

from gateway.storage.read import EventFilter, last_events
from gateway.testing.engine.expect import equal, holds, raises
from gateway.testing.engine.given.lines import START, line
from gateway.testing.engine.given.log import Log, lines_of, of, opened, read, read_back
from gateway.testing.engine.promise import Family

FAMILY = Family("reading", opened)


@FAMILY.promise("give an empty log a cursor, the one of `newest`, after which the first event will be read")
async def a_log_without_events_has_an_empty_page_and_a_point_to_go_on_from(log: Log) -> None:
    page = await log.reader.page()
    equal((list(page.events), page.more, page.cursor), ([], False, await log.reader.newest()))
    equal((await read_back(log.reader), await log.reader.count()), ([], 0))

    await log.storage.append(of(line(1)))

    equal([each for _, each in await read(log.reader, after=page.cursor)], [line(1)])


@FAMILY.promise(
    "order positions as events were committed, let `page` begin behind `after`, and let `page_back` include `until`"
)
async def every_event_is_read_once_in_order_from_any_position_in_both_directions(log: Log) -> None:
    lines = [line(number) for number in range(2001)]
    for start in range(0, 2001, 100):
        await log.storage.append(of(*lines[start : start + 100]))

    everything = await read(log.reader)
    equal([each for _, each in everything], lines)
    equal(await read_back(log.reader), everything)
    for index in (0, 1, 99, 100, 1234, 1999, 2000):
        position = everything[index][0]
        equal(await read(log.reader, after=position), everything[index + 1 :])
        equal(await last_events(log.reader, 3, position), lines[max(0, index - 2) : index + 1])
    equal((await log.reader.count(), await log.reader.newest()), (2001, everything[-1][0]))


@FAMILY.promise("a position is an int or a str; `parse_position(str(position))` is the same position")
async def a_position_is_written_and_read_back_as_text_and_as_json(log: Log) -> None:
    await log.storage.append(of(line(1), line(2), line(3)))
    (first, _), *rest = await read(log.reader)

    holds(log.reader.parse_position(str(first)) == first == json.loads(json.dumps(first)))
    equal(await read(log.reader, after=log.reader.parse_position(str(first))), rest)
    equal(await read(log.reader, after=await log.reader.newest()), [])


@FAMILY.promise("raise ValueError from `parse_position` for a text that this engine has not written itself")
async def what_is_no_position_is_refused(log: Log) -> None:
    for text in ("", " 1", "1 ", "-1", "+1", "1.0", "1e3", "0x1", "१", "9" * 19, "'; --", "\n1", "1_0"):
        with raises(ValueError):
            log.reader.parse_position(text)


@FAMILY.promise(
    "bound the bytes that are read for a page, whether its filter lets them through or not, and give the "
    "cursor to go on with"
)
async def a_page_ends_though_its_filter_lets_nothing_through(log: Log) -> None:
    for number in range(10):
        await log.storage.append(of(line(number, properties={"fill": "x" * 1_000_000})))

    for where in (EventFilter(project="none"), EventFilter(name="none", since=START)):
        page = await log.reader.page(None, where)
        equal(list(page.events), [])
        back = await log.reader.page_back(None, where)
        equal(list(back.events), [])
        equal(await lines_of(log.reader, where), [])
    page = await log.reader.page()
    equal((0 < len(page.lines) < 10, page.more, page.cursor), (True, True, page.positions[-1]))


@FAMILY.promise("`at` answers in the order of the positions, and a position twice where it is asked for twice")
async def events_are_read_at_their_positions_in_the_order_asked_for(log: Log) -> None:
    for number in range(0, 30, 3):
        await log.storage.append(of(*[line(each) for each in range(number, number + 3)]))
    everything = await read(log.reader)
    order = [20, 21, 3, 4, 4, 29, 0]

    equal(await log.reader.at([everything[each][0] for each in order]), [everything[each] for each in order])
    equal(await log.reader.at([]), [])


@FAMILY.promise("let `page_back` go on at the cursor that it gave, until `more` is False")
async def the_last_events_that_are_asked_for_are_found_from_the_end(log: Log) -> None:
    lines = [line(number, project=("shop", "blog")[number % 2]) for number in range(40)]
    for each in lines:
        await log.storage.append(of(each))
    newest = await log.reader.newest()

    equal(await last_events(log.reader, 3, newest, EventFilter(project="shop")), lines[34::2])
    equal(await last_events(log.reader, 0, newest), [])
    equal(await last_events(log.reader, 1000, newest), lines)
