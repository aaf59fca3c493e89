"""Fills a database with events inside the server, as the gateway would have stored them, much faster than it could.

The rows are those of one request of the gateway, copied with ids, keys and positions of their own: one transaction of
some thousand events each. So tables and indexes have the size and the order that they would have. Keys are inserted
sorted, into pages that are as full as they would be. Statistics and the visibility map are made by VACUUM, as
autovacuum would have.
"""

import asyncpg

from tests.bench.postgres.server import run

CHUNK = 200_000
EVENTS = """
INSERT INTO gateway.events (project, day, xid, number, dialect, type, name, message_id, user_id, anonymous_id,
    "timestamp", received_at, body, exact)
SELECT project, day, pg_current_xact_id()::text::bigint, each, dialect, type, name, id, user_id, anonymous_id,
    "timestamp", received_at, jsonb_set(body, '{message_id}', to_jsonb(id)), exact
FROM (SELECT * FROM gateway.events ORDER BY xid, number LIMIT 1) AS one,
    LATERAL (SELECT each, gen_random_uuid()::text AS id FROM generate_series(1, $1::int) AS each) AS new
"""
FILL = "ALTER INDEX gateway.keys_1_pkey SET (fillfactor = {percent})"
"""Of the pages of the index of keys. Keys in no order leave them 70 % full; sorted ones would fill them to 90."""
KEYS = """
INSERT INTO gateway.keys (project, key, generation)
SELECT project, decode(md5(random()::text || each), 'hex'), generation FROM gateway.state,
    (SELECT project FROM gateway.events LIMIT 1) AS one, generate_series(1, $1::int) AS each
ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""
RECEIPTS = """
INSERT INTO gateway.receipts (project, id, xid, first, count, received_at, dialect, route)
SELECT project, (SELECT max(id) FROM gateway.receipts) + each, pg_current_xact_id()::text::bigint, each * $2, $2,
    received_at, dialect, route
FROM (SELECT * FROM gateway.receipts LIMIT 1) AS one, generate_series(1, $1::int / $2::int) AS each
"""


def preload(url: str, count: int, items: int) -> None:
    """Add so many events to a database that has one at least; a request has so many `items`."""

    async def fill(db: "asyncpg.Connection[asyncpg.Record]") -> None:
        await db.execute(FILL.format(percent=70))
        await db.execute(KEYS, count, timeout=1200)
        await db.execute(FILL.format(percent=90))
        done = 0
        while done < count:
            some = min(CHUNK, count - done)
            async with db.transaction():
                await db.execute(EVENTS, some, timeout=600)
                await db.execute(RECEIPTS, some, items, timeout=600)
            done += some
        for table in ("events", "keys", "receipts"):
            await db.execute(f"VACUUM (ANALYZE) gateway.{table}", timeout=1200)

    run(url, fill)
