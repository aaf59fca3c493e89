"""Forgetting: keys and claims live in two generations of tables, and the older one goes as a whole.

A generation lasts one window of elapsed time, taken from a clock that never jumps and added up in `meta` over restarts;
time in which no gateway runs does not count. So everything is remembered for one window at least and two at most.
"""

import sqlite3
from collections.abc import Callable

import attrs

from gateway.storage.sqlite.tables import CLAIMS, SEEN

NOTE_EVERY = 60.0
TURN = (
    "DROP TABLE IF EXISTS seen_forgotten",
    "DROP TABLE IF EXISTS claims_forgotten",
    "ALTER TABLE seen_previous RENAME TO seen_forgotten",
    "ALTER TABLE claims_previous RENAME TO claims_forgotten",
    "ALTER TABLE seen_current RENAME TO seen_previous",
    "ALTER TABLE claims_current RENAME TO claims_previous",
    SEEN,
    CLAIMS,
)
# Dropping a table reads all of its pages, seconds for a hundred million keys: it is emptied bit by bit before.
FORGET = {
    "seen_forgotten": "DELETE FROM seen_forgotten WHERE bucket <= "
    "(SELECT max(bucket) FROM (SELECT bucket FROM seen_forgotten ORDER BY bucket LIMIT 100))",
    "claims_forgotten": "DELETE FROM claims_forgotten WHERE digest <= "
    "(SELECT max(digest) FROM (SELECT digest FROM claims_forgotten ORDER BY digest LIMIT 200))",
}


@attrs.define
class Generations:
    """How old the current generation is. `window` and the clock are in seconds; `turned` is called after each turn."""

    window: float
    clock: Callable[[], float]
    rotated: Callable[[], None]
    _elapsed: float = attrs.field(default=0.0, init=False)
    _read: float = attrs.field(default=0.0, init=False)
    _forgotten: list[str] = attrs.field(factory=list, init=False)

    def load(self, connection: sqlite3.Connection) -> None:
        """Go on from where the last process wrote it down."""
        (self._elapsed,) = connection.execute("SELECT value FROM meta WHERE name = 'elapsed'").fetchone()
        self._read = self.clock()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        self._forgotten = [name for name in FORGET if name in names]

    def step(self, connection: sqlite3.Connection, force: bool = False) -> Callable[[], None]:
        """Turn, note the time or forget a little inside the open transaction; call the answer after the commit."""
        now = self.clock()
        elapsed = self._elapsed + now - self._read
        if elapsed >= self.window:
            for statement in TURN:
                connection.execute(statement)
            self._note(connection, 0.0)
            return lambda: self._turned(now)
        forgotten = self._forget(connection)
        if force or now - self._read >= NOTE_EVERY:
            self._note(connection, elapsed)
            return lambda: self._become(elapsed, now, forgotten)
        return lambda: self._become(self._elapsed, self._read, forgotten)

    def _forget(self, connection: sqlite3.Connection) -> list[str]:
        if not self._forgotten:
            return []
        name, *rest = self._forgotten
        if connection.execute(FORGET[name]).rowcount:
            return self._forgotten
        connection.execute("DROP TABLE " + name)
        return rest

    def _note(self, connection: sqlite3.Connection, elapsed: float) -> None:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'elapsed'", (elapsed,))

    def _turned(self, now: float) -> None:
        self._become(0.0, now, list(FORGET))
        self.rotated()

    def _become(self, elapsed: float, read: float, forgotten: list[str]) -> None:
        self._elapsed, self._read, self._forgotten = elapsed, read, forgotten
