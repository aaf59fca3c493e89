"""Waiting until the transactions that are open now have ended: those that began later see what was committed now."""

import asyncio

from gateway.storage.postgres.connection.session import Session

PAUSE = 0.05
# Every transaction holds a lock on its own number of this kind from its beginning on, and everybody may see that. The
# server's own processes, such as autovacuum, have no user; they write no events, and vacuum does not wait for them.
OPEN = """
SELECT locks.virtualxid, locks.pid, coalesce(nullif(activity.application_name, ''), 'unnamed')
FROM pg_locks locks JOIN pg_stat_activity activity USING (pid)
WHERE locks.locktype = 'virtualxid' AND locks.granted AND locks.virtualxid = locks.virtualtransaction
    AND locks.pid <> pg_backend_pid() AND activity.datname = current_database() AND activity.usesysid IS NOT NULL
"""
NAME = 60


async def open_transactions(session: Session, beside: int | None = None) -> dict[str, str]:
    """Return who has a transaction open in the database, by the transaction. Raises one of EXPECTED."""
    async with session.transaction(readonly=True) as db:
        rows = await db.fetch(OPEN)
    return {each: f"process {pid} ({_printable(name)})" for each, pid, name in rows if pid != beside}


async def wait_for_open(session: Session, seconds: float, beside: int | None = None) -> list[str]:
    """Wait until the transactions that are open now have ended; return who still has one after so many seconds.

    `beside` is the process of a transaction that is not waited for.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    waiting = await open_transactions(session, beside)
    while waiting and loop.time() < end:
        await asyncio.sleep(PAUSE)
        waiting = {each: who for each, who in (await open_transactions(session)).items() if each in waiting}
    return sorted(set(waiting.values()))


def _printable(name: str) -> str:
    return "".join([each if each.isprintable() else "?" for each in name[:NAME]])
