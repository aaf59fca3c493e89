"""One connection to events.db and what must be known to commit to it. Synchronous: it runs on the writer's thread."""

import contextlib
import sqlite3
from collections.abc import Callable, Sequence

import attrs

from gateway.storage.base import Appended, Entry, Standing
from gateway.storage.blobs import Blobs
from gateway.storage.datadir import DataDir, sync_folder
from gateway.storage.generations import Generations
from gateway.storage.plan import Plan, decide
from gateway.storage.seen import Seen
from gateway.storage.statements import insert, select
from gateway.storage.tables import upgrade

SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -65536",
    # A longer log between two checkpoints writes a page that many commits touched once instead of many times.
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    # Some builds overwrite freed pages with zeros, which doubles the cost of forgetting.
    "PRAGMA secure_delete = OFF",
)
CLAIMED = (
    "SELECT group_concat(hex(digest) || ':' || hex(fingerprint) || ':' || hex(memory)) FROM ("
    "SELECT * FROM claims_current WHERE digest IN (?) UNION ALL SELECT * FROM claims_previous WHERE digest IN (?))"
)
ADD_UP = " ON CONFLICT (project, dialect, verdict) DO UPDATE SET count = count + excluded.count"
QUARANTINE = "INSERT INTO quarantine (message_id, received_at, project, dialect, route, faults, payload)"


@attrs.define
class Ledger:
    """The writer of a data directory. Nothing else writes to its events.db: that is what the lock is for."""

    connection: sqlite3.Connection
    seen: Seen
    generations: Generations
    blobs: Blobs
    position: int

    @classmethod
    def load(
        cls, connection: sqlite3.Connection, directory: DataDir, window: float, clock: Callable[[], float], bound: int
    ) -> "Ledger":
        """Prepare the connection, upgrade the file, and read what memory must hold."""
        for setting in SETTINGS:
            connection.execute(setting).fetchall()
        upgrade(connection, directory.events)
        # SQLite does this for its log, but not for the file itself.
        sync_folder(directory.path)
        (watermark,) = connection.execute("SELECT value FROM meta WHERE name = 'watermark'").fetchone()
        (last,) = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
        # Positions below the watermark are never given again, even where the log's end was cut off by hand.
        position = max(watermark, last)
        seen = Seen(bound)
        seen.load(connection, watermark, position)
        generations = Generations(window, clock)
        generations.load(connection)
        blobs = Blobs(directory.blobs)
        blobs.sweep()
        return cls(connection, seen, generations, blobs, position)

    def commit(self, entries: Sequence[Entry]) -> list[Appended]:
        """Decide and write the group in one transaction; on any exception it is rolled back and memory is as before."""
        keys = {row.key for entry in entries for row in entry.rows if row.key is not None}
        # Read outside the transaction: with one writer nothing can change between here and the commit.
        plan = decide(entries, self.position, self.seen.among(self.connection, keys), self._claimed(entries))
        for entry, answer in zip(entries, plan.answers, strict=True):
            for blob in entry.blobs if answer.standing is Standing.FRESH else ():
                self.blobs.keep(blob)
        if entries and not plan.counts:
            return plan.answers
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            self._write(plan)
            merged = self.seen.merge(self.connection, self.position, len(plan.keys))
            become = self.generations.step(self.connection, force=not entries)
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
            raise
        self.position = plan.position
        self.seen.publish(plan.keys, merged)
        become()
        return plan.answers

    def _claimed(self, entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, bytes]]:
        digests = [entry.claim.digest for entry in entries if entry.claim is not None]
        claimed: dict[bytes, tuple[bytes, bytes]] = {}
        for found in select(self.connection, CLAIMED, digests):
            for line in found.split(","):
                digest, fingerprint, memory = map(bytes.fromhex, line.split(":"))
                claimed[digest] = (fingerprint, memory)
        return claimed

    def _write(self, plan: Plan) -> None:
        insert(self.connection, "INSERT INTO events", 3, plan.events)
        insert(self.connection, QUARANTINE, 7, plan.quarantine)
        insert(self.connection, "INSERT INTO claims_current", 3, plan.claimed())
        insert(self.connection, "INSERT INTO counters", 4, plan.counters(), ADD_UP)
