"""Which keys were seen before: the newest in memory, the older ones on disk, merged a slice a commit.

Every row of the log carries its key, so memory is never saved: it is read again from the rows above the watermark.
Writing each key into a tree at random places would cost a page a key; many keys at once, in order, share pages.
"""

import sqlite3
from collections.abc import Collection, Iterable

import attrs

from gateway.storage.statements import insert, select

FOUND = (
    "SELECT group_concat(hex(key)) FROM (SELECT key FROM seen_current WHERE key IN (?) "
    "UNION ALL SELECT key FROM seen_previous WHERE key IN (?))"
)
NEWEST = "SELECT group_concat(hex(key)) FROM events WHERE position > ? AND position <= ?"
LOAD_PAGE = 10_000


@attrs.define
class Seen:
    """The keys of the log. Not safe for two threads at a time.

    `bound` keys in memory start a merge; while it runs memory may hold as many again. A merge puts a hundredth of that
    into each commit, and at least twice what the commit adds, so that it always ends before the next one is due.
    """

    bound: int = 200_000
    recent: set[bytes] = attrs.field(factory=set, init=False)
    frozen: set[bytes] = attrs.field(factory=set, init=False)
    _order: list[bytes] = attrs.field(factory=list, init=False)
    _done: int = attrs.field(default=0, init=False)
    _frozen_to: int = attrs.field(default=0, init=False)

    def load(self, connection: sqlite3.Connection, watermark: int, position: int) -> None:
        """Read the keys of the rows above the watermark."""
        self._frozen_to = watermark
        for start in range(watermark, position, LOAD_PAGE):
            (found,) = connection.execute(NEWEST, (start, min(start + LOAD_PAGE, position))).fetchone()
            if found:
                self.recent.update(map(bytes.fromhex, found.split(",")))

    def among(self, connection: sqlite3.Connection, keys: Iterable[bytes]) -> set[bytes]:
        """Return which of the keys were committed before; one statement for all that memory does not know."""
        known: set[bytes] = set()
        unknown: list[bytes] = []
        for key in keys:
            if key in self.recent or key in self.frozen:
                known.add(key)
            else:
                unknown.append(key)
        for found in select(connection, FOUND, unknown):
            known.update(map(bytes.fromhex, found.split(",")))
        return known

    def merge(self, connection: sqlite3.Connection, position: int, adding: int) -> int:
        """Write the next slice inside the open transaction and return its size, for `publish` after the commit.

        `position` is the last one committed so far. With the last slice the watermark moves, in the same transaction.
        """
        if not self._order and not self._freeze(position):
            return 0
        part = self._order[self._done : self._done + max(1, self.bound // 100, 2 * adding)]
        insert(connection, "INSERT OR IGNORE INTO seen_current", 1, part, chunk=1000)
        if self._done + len(part) == len(self._order):
            connection.execute("UPDATE meta SET value = ? WHERE name = 'watermark'", (self._frozen_to,))
        return len(part)

    def publish(self, keys: Collection[bytes], merged: int) -> None:
        """Take in what was committed. Never before: a key known from a commit that failed turns its retry into loss."""
        self.recent.update(keys)
        self._done += merged
        if self._order and self._done == len(self._order):
            self.frozen, self._order, self._done = set(), [], 0

    def _freeze(self, position: int) -> bool:
        # Rows without keys move the watermark too, or a start would read all of a log that has none.
        if len(self.recent) < self.bound and position - self._frozen_to < 4 * self.bound:
            return False
        self.frozen, self.recent = self.recent, set()
        self._order, self._done, self._frozen_to = sorted(self.frozen), 0, position
        return True
