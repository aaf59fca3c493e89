"""docs/scale.md: its SQL runs as an analyst's, on a database with events, and its tables are those that there are."""

import datetime
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import asyncpg

from gateway.storage.contract import Entry, EventRow
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.lines import line
from tests.docs.readme import ROOT, blocks, code, rows
from tests.kit.postgres.cluster import Cluster

PAGE = (ROOT / "docs" / "scale.md").read_text("utf-8")
PARTITIONS = "SELECT inhrelid FROM pg_inherits"
TABLES = (
    "SELECT relname FROM pg_class JOIN pg_namespace space ON space.oid = relnamespace "
    f"WHERE nspname = 'gateway' AND relkind IN ('r', 'p') AND pg_class.oid NOT IN ({PARTITIONS})"
)


def bodies() -> list[bytes]:
    """Ann sees a product and buys it, Bob only sees it."""
    order = {"total": 12.5, "currency": "EUR"}
    return [
        line(1, user_id="ann", name="Product Viewed"),
        line(2, user_id="bob", name="Product Viewed"),
        line(3, user_id="ann", name="Order Completed", properties=order),
    ]


async def fill(url: str) -> None:
    entry = Entry("shop", "toy", "track", time.time_ns() // 1_000_000, tuple([EventRow(each) for each in bodies()]))
    async with open_store(url).storage(StoreSettings()) as storage:
        await storage.append(entry)


async def test_an_analyst_can_ask_all_that_the_page_shows(prepared: str, clusters: Callable[[str], Cluster]) -> None:
    await fill(prepared)
    database = urlsplit(prepared).path.removeprefix("/")
    grants, *questions = blocks("sql", PAGE)
    db = await asyncpg.connect(clusters("wheel").url(database, role="postgres"))
    try:
        transaction = db.transaction()  # rolled back: a role is there for all databases
        await transaction.start()
        await db.execute(grants)
        await db.execute("SET LOCAL ROLE analyst")
        answers = [[tuple(row) for row in await db.fetch(each)] for each in questions]
        await transaction.rollback()
        day = (await db.fetchval("SELECT now() AT TIME ZONE 'UTC'")).date()
        xid = await db.fetchval("SELECT max(xid) FROM gateway.events")
    finally:
        await db.close()
    by_name, revenue, funnel, verdicts, after, sizes = answers
    assert by_name == [(day, "track", "Product Viewed", 2), (day, "track", "Order Completed", 1)]
    assert [(currency, float(total)) for currency, total in revenue] == [("EUR", 12.5)]
    assert funnel == [(2, 1)]
    assert verdicts == [("toy", "received", 3), ("toy", "stored", 3)]
    assert after == [(xid, 1, "Product Viewed"), (xid, 2, "Product Viewed"), (xid, 3, "Order Completed")]
    assert [name for name, _ in sizes] == [
        f"gateway.events_{day + datetime.timedelta(days=ahead):%Y%m%d}" for ahead in range(3)
    ]


async def test_the_page_names_every_table(prepared: str) -> None:
    db = await asyncpg.connect(prepared)
    try:
        found = {name for (name,) in await db.fetch(TABLES)}
    finally:
        await db.close()
    section = PAGE.partition("\n## The tables\n")[2].partition("\n## ")[0]
    assert {name for first, *_ in rows(section) for name in code(first)} == found
