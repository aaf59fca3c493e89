"""VACUUM of the tables that an erasure has touched: until then they have the old versions of their rows."""

import re

from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.erasing.events import VACUUM
from gateway.storage.postgres.erasing.found import Found
from gateway.storage.postgres.erasing.waiting import wait_for_open

SECONDS = 15.0
"""How long to wait for transactions that may still see the old versions."""
NAMES = "SELECT DISTINCT name FROM gateway.erasing WHERE kind = $1 AND to_regclass('gateway.' || name) IS NOT NULL"
DONE = (
    "DELETE FROM gateway.erasing WHERE kind = $1 "
    "AND (name = ANY ($2::text[]) OR to_regclass('gateway.' || name) IS NULL)"
)
# What keeps old versions beside transactions: copies of the database that ask for it.
HOLDERS = (
    "SELECT 'the prepared transaction ' || gid FROM pg_prepared_xacts WHERE database = current_database() "
    "UNION ALL SELECT 'the replication slot ' || slot_name FROM pg_replication_slots WHERE xmin IS NOT NULL"
)
_NAME = re.compile("[a-z_0-9]{1,63}", re.ASCII)


async def vacuum(session: Session, found: Found) -> None:
    """Vacuum what this erasure, and one that was killed, has touched. Raises one of EXPECTED."""
    async with session.transaction(readonly=True) as db:
        names = sorted([name for (name,) in await db.fetch(NAMES, VACUUM) if _NAME.fullmatch(name)])
    if not names:
        return
    holders = await wait_for_open(session, SECONDS)
    async with session.transaction(readonly=True) as db:
        holders += [who for (who,) in await db.fetch(HOLDERS)]
    connection = await session.connection()
    if not session.is_pooled:
        await connection.execute("SET statement_timeout = 0")
    for name in names:
        await connection.execute(f"VACUUM gateway.{name}")
    if holders:
        found.left.append(
            f"old versions of rows may be left, because of {', '.join(holders[:3])}; end it and run the command again"
        )
        return
    async with session.transaction() as db:
        await db.execute(DONE, VACUUM, names)
