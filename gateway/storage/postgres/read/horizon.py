"""How far readers may go: up to the oldest transaction that still runs, and who that is.

A transaction's number is given when it begins to write, and its rows are seen when it ends. A reader that went past a
running one would never come back for its rows.
"""

import attrs

from gateway.storage.postgres.connection.session import Connection

HORIZON = "(SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + xid_offset FROM gateway.state)"
"""In SQL: the lowest transaction number that a reader must not read yet, in the snapshot of the statement itself."""
# Every transaction with a number holds a lock on it, which everybody may see, whoever may see the rest. Locks have the
# lower half of the number. Of a transaction that was prepared for two phases there is no process.
OLDEST = """
WITH oldest AS (
    SELECT locks.pid FROM pg_locks locks WHERE locks.locktype = 'transactionid' AND locks.granted
        AND locks.mode = 'ExclusiveLock' AND locks.pid IS DISTINCT FROM pg_backend_pid()
        AND locks.transactionid::text::bigint
            = mod(pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 4294967296))
SELECT coalesce(oldest.pid, 0),
    coalesce(application_name, (SELECT 'transaction ' || gid FROM pg_prepared_xacts ORDER BY prepared LIMIT 1), ''),
    coalesce(state, 'of another role'),
    extract(epoch FROM now() - coalesce(xact_start, (SELECT min(prepared) FROM pg_prepared_xacts)))::float8
FROM oldest LEFT JOIN pg_stat_activity USING (pid) LIMIT 1
"""
MAX_NAME = 60


@attrs.frozen
class Holder:
    """The transaction that readers wait for.

    `pid` is its server process; 0 is a transaction that was prepared and belongs to none. `seconds` is how long it has
    been open, None if the database does not let this user see it.
    """

    pid: int
    application: str
    state: str
    seconds: float | None

    def describe(self) -> str:
        """Return who it is, and how to end it, for an operator."""
        name = self.application or "unnamed"
        if not self.pid:
            return f"{name} is prepared and was never ended; end it with COMMIT PREPARED or ROLLBACK PREPARED"
        return (
            f"process {self.pid} of the database ({name}, {self.state}) has a transaction open; "
            f"end it with SELECT pg_terminate_backend({self.pid})"
        )


async def find_holder(db: Connection) -> Holder | None:
    """Return the oldest transaction that has written something and is still open; None if there is none."""
    row = await db.fetchrow(OLDEST)
    if row is None:
        return None
    pid, application, state, seconds = row
    shown = "".join([each if each.isprintable() else "?" for each in application[:MAX_NAME]])
    return Holder(pid, shown, state, seconds)
