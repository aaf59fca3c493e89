"""What a reader beside a writer promises: it skips and doubles nothing."""

import asyncio
from collections.abc import Sequence

from gateway.storage.read import EVERYTHING, EventFilter, follow
from gateway.testing.engine.expect import equal, holds
from gateway.testing.engine.given.lines import MINUTE, START, line
from gateway.testing.engine.given.log import Log, of, opened, read
from gateway.testing.engine.promise import Family

FAMILY = Family("following", opened)


@FAMILY.promise(
    "let no event become visible behind a position that was given as a cursor: numbers that are drawn before a"
    " commit become visible out of order"
)
async def a_reader_beside_a_writer_skips_and_doubles_nothing(log: Log) -> None:
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

    equal(seen, [line(number) for number in range(written)])
    holds(len(set(at_end)) > 1)  # it was at the end more than once, and went on


@FAMILY.promise("the cursor of a page is behind its last event, whatever is appended meanwhile")
async def events_that_come_between_two_pages_are_seen_once(log: Log) -> None:
    large = [line(number, properties={"fill": "x" * 1_000_000}) for number in range(6)]
    await log.storage.append(of(*large))
    first = await log.reader.page()
    await log.storage.append(of(line(7), at=START - MINUTE))

    rest = await read(log.reader, after=first.cursor)

    equal([*first.lines, *[each for _, each in rest]], [*large, line(7)])


@FAMILY.promise("a page of what was committed meanwhile begins at the cursor of the page before, also of an empty one")
async def following_yields_new_events_that_are_asked_for_until_its_pause_ends_it(log: Log) -> None:
    await log.storage.append(of(line(1), line(2)))
    batches: list[Sequence[bytes]] = [[line(3), line(4, project="blog")], [line(5, project="blog")], [line(6)]]

    async def pause() -> bool:
        if not batches:
            return False
        await log.storage.append(of(*batches.pop(0)))
        return True

    start = (await read(log.reader))[0][0]
    pages = [page.lines async for page in follow(log.reader, start, EventFilter(project="shop"), pause)]

    equal(pages, [[line(2)], [line(3)], [line(6)]])
