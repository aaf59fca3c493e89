"""How far an engine reads for a page that its filter leaves empty: some bytes of SQLite's log, all of PostgreSQL's.

What every reader promises is in the kit (gateway/testing/engine/log/); test_conformance.py tries it on each engine.
"""

from gateway.storage.read import EventFilter
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.lines import START, line
from gateway.testing.engine.given.log import of


async def test_a_page_ends_though_its_filter_lets_nothing_through(store: Store) -> None:
    async with store.storage(StoreSettings()) as storage, store.log() as reader:
        for number in range(10):
            await storage.append(of(line(number, properties={"fill": "x" * 1_000_000})))

        for where in (EventFilter(project="none"), EventFilter(name="none", since=START)):
            page, back = await reader.page(None, where), await reader.page_back(None, where)
            is_read_in_parts = store.directory is not None
            assert (list(page.events), page.more) == ([], is_read_in_parts)
            assert (list(back.events), back.more) == ([], is_read_in_parts)
