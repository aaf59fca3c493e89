"""Forgetting keys and idempotency records: they live in two generations of tables, and the older one goes as a whole.

A generation lasts one window of elapsed time, measured by a clock that never jumps and added up in `meta` over
restarts; time in which no gateway runs does not count. So everything is remembered for at least one window and at most
two. The tables are `seen_*` (keys) and `claims_*` (idempotency records), each `_current`, `_previous` or `_forgotten`.
"""

import sqlite3
from collections.abc import Callable

import attrs

from gateway.storage.sqlite.tables import CLAIMS, SEEN

SAVE_ELAPSED_EVERY = 60.0
"""Seconds; as much time is not counted after a kill."""
ROTATE = (
    "DROP TABLE IF EXISTS seen_forgotten",
    "DROP TABLE IF EXISTS claims_forgotten",
    "ALTER TABLE seen_previous RENAME TO seen_forgotten",
    "ALTER TABLE claims_previous RENAME TO claims_forgotten",
    "ALTER TABLE seen_current RENAME TO seen_previous",
    "ALTER TABLE claims_current RENAME TO claims_previous",
    SEEN,
    CLAIMS,
    # The saved filters are those of the generations before (see filter_file.py).
    "DELETE FROM meta WHERE name = 'filters'",
)
# Dropping a table reads all of its pages, which takes seconds with a hundred million keys. So it is emptied first, a
# few rows with each commit.
DELETE_SOME = {
    "seen_forgotten": "DELETE FROM seen_forgotten WHERE bucket <= "
    "(SELECT max(bucket) FROM (SELECT bucket FROM seen_forgotten ORDER BY bucket LIMIT 100))",
    "claims_forgotten": "DELETE FROM claims_forgotten WHERE digest <= "
    "(SELECT max(digest) FROM (SELECT digest FROM claims_forgotten ORDER BY digest LIMIT 200))",
}


@attrs.define
class Generations:
    """The age of the current generation, and the tables that are being forgotten.

    `window` and the clock are in seconds. `on_rotate` is called once a rotation is committed.
    """

    window: float
    clock: Callable[[], float]
    on_rotate: Callable[[], None]
    _elapsed: float = attrs.field(default=0.0, init=False)
    _saved_at: float = attrs.field(default=0.0, init=False)
    _forgotten: list[str] = attrs.field(factory=list, init=False)

    def load(self, connection: sqlite3.Connection) -> None:
        """Continue at the age that the last process saved."""
        (self._elapsed,) = connection.execute("SELECT value FROM meta WHERE name = 'elapsed'").fetchone()
        self._saved_at = self.clock()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        self._forgotten = [name for name in DELETE_SOME if name in names]

    def step(self, connection: sqlite3.Connection, force: bool = False) -> Callable[[], None]:
        """Inside the open transaction, rotate if the window is over. Otherwise delete a little, and save the age.

        The age is saved only every SAVE_ELAPSED_EVERY seconds unless `force` is set. Memory is unchanged until the
        caller, after the commit, calls what this returns.
        """
        now = self.clock()
        elapsed = self._elapsed + now - self._saved_at
        if elapsed >= self.window:
            for statement in ROTATE:
                connection.execute(statement)
            self._save(connection, 0.0)
            return lambda: self._rotated(now)
        forgotten = self._delete_some(connection)
        if force or now - self._saved_at >= SAVE_ELAPSED_EVERY:
            self._save(connection, elapsed)
            return lambda: self._committed(elapsed, now, forgotten)
        return lambda: self._committed(self._elapsed, self._saved_at, forgotten)

    def _delete_some(self, connection: sqlite3.Connection) -> list[str]:
        """Delete a few rows of a forgotten table, or drop it once it is empty; return the tables that are left."""
        if not self._forgotten:
            return []
        name, *rest = self._forgotten
        if connection.execute(DELETE_SOME[name]).rowcount:
            return self._forgotten
        connection.execute("DROP TABLE " + name)
        return rest

    def _save(self, connection: sqlite3.Connection, elapsed: float) -> None:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'elapsed'", (elapsed,))

    def _rotated(self, now: float) -> None:
        self._committed(0.0, now, list(DELETE_SOME))
        self.on_rotate()

    def _committed(self, elapsed: float, saved_at: float, forgotten: list[str]) -> None:
        self._elapsed, self._saved_at, self._forgotten = elapsed, saved_at, forgotten
