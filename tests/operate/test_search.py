"""A search goes through the log from its end, and stops where it has taken long enough."""

import attrs
import pytest

from gateway.operate.events.search import Found, search
from gateway.storage.contract import EventRow
from gateway.storage.engines import open_store
from gateway.storage.read import EVERYTHING, EventFilter
from gateway.storage.store import Store
from gateway.testing.engine.given.entries import entry
from gateway.testing.engine.given.lines import START, line
from tests.cli.lines import keep


@pytest.fixture(scope="module")
def store(module_url: str) -> Store:
    rows = [EventRow(line(number, user_id=("ada", "bob")[number % 2])) for number in range(120)]
    keep(module_url, attrs.evolve(entry(*rows, project="shop"), received_at=START))
    return open_store(module_url)


def names(found: Found) -> list[int]:
    return [int(each["message_id"].removeprefix("m-")) for each in found.rows]


def never() -> float:
    return 0.0


async def test_pages_lead_to_older_events_and_back_to_newer_ones(store: Store) -> None:
    async with store.log() as reader:
        first = await search(reader, EVERYTHING, never)
        assert (names(first), first.newer, first.stopped) == (list(range(119, 69, -1)), None, False)
        second = await search(reader, EVERYTHING, never, until=first.older)
        assert names(second) == list(range(69, 19, -1))
        third = await search(reader, EVERYTHING, never, until=second.older)
        assert (names(third), third.older) == (list(range(19, -1, -1)), None)
        back = await search(reader, EVERYTHING, never, after=third.newer)
        assert (names(back), names(await search(reader, EVERYTHING, never, until=back.older))) == (
            names(second),
            names(third),
        )
        # Where fewer than a page are newer, the newest page has them.
        assert await search(reader, EVERYTHING, never, after=first.rows[10]["position"]) == first


async def test_a_filter_narrows_each_page(store: Store) -> None:
    async with store.log() as reader:
        where = EventFilter(person="bob")
        first = await search(reader, where, never)
        rest = await search(reader, where, never, until=first.older)
        assert (names(first), names(rest), rest.older) == (list(range(119, 19, -2)), list(range(19, 0, -2)), None)
        assert names(await search(reader, where, never, after=rest.newer)) == names(first)
        nothing = await search(reader, EventFilter(message_id="m"), never)
        assert nothing == Found([], None, None)
