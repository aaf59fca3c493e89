"""One connection to events.db and what must be known to commit to it. Synchronous: it runs on the writer's thread."""

import contextlib
import random
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial

import attrs

from gateway.datadir import DataDir, sync_folder
from gateway.storage.contract import Appended, AppendStatus, Broken, Entry
from gateway.storage.decide import RECEIPT_RANDOM_BITS, Plan, Snapshot, decide
from gateway.storage.sqlite.blobs import Blobs
from gateway.storage.sqlite.chunks import chunks
from gateway.storage.sqlite.dedupe.generations import Generations
from gateway.storage.sqlite.dedupe.known_keys import KnownKeys
from gateway.storage.sqlite.retention import forget
from gateway.storage.sqlite.statements import bulk_insert, select_in
from gateway.storage.sqlite.tables import upgrade

SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # Little is read again: keys in the filters and in memory are what answers.
    "PRAGMA cache_size = -8192",
    # A longer log between two checkpoints writes a page that many commits touched once instead of many times.
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    # Some builds overwrite freed pages with zeros, which doubles the cost of forgetting.
    "PRAGMA secure_delete = OFF",
)
CLAIMED = (
    "SELECT group_concat(hex(digest) || ':' || hex(fingerprint) || ':' || hex(memory) || ':' || coalesce(receipt, 0)) "
    "FROM ("
    "SELECT * FROM claims_current WHERE digest IN (?) UNION ALL SELECT * FROM claims_previous WHERE digest IN (?))"
)
ADD_UP = " ON CONFLICT (project, dialect, verdict) DO UPDATE SET count = count + excluded.count"
QUARANTINED_KEYS = "SELECT group_concat(hex(key)) FROM quarantine WHERE key IN (?)"
PENDING = "SELECT group_concat(id || ':' || verdict) FROM quarantine WHERE id IN (?)"
FORGET_RAWS = "DELETE FROM raws WHERE receipt IN (SELECT receipt FROM raws WHERE receipt < ? ORDER BY receipt LIMIT ?)"
QUARANTINE = (
    "INSERT INTO quarantine (id, message_id, received_at, project, dialect, route, faults, payload, verdict, key, "
    "item, receipt) "
)
RECEIPT_RANDOM = random.Random()  # noqa: S311 (seeded by the kernel; a receipt's number is no secret)
SETTLE = (
    "DELETE FROM requests WHERE receipt IN (SELECT receipt FROM quarantine WHERE id = ?1) "
    "AND NOT EXISTS (SELECT 1 FROM quarantine other WHERE other.receipt = requests.receipt AND other.id <> ?1)",
    "DELETE FROM quarantine WHERE id = ?1",
)
LAST = "SELECT coalesce(max(last), 0) FROM log"
CHUNK = "(?,?,CAST(? AS TEXT))"
LAST_QUARANTINED = (
    "SELECT max((SELECT coalesce(max(id), 0) FROM quarantine), (SELECT coalesce(max(id), 0) FROM settled))"
)


@attrs.define
class LogWriter:
    """The writer of a data directory. Nothing else writes to its events.db: that is what the lock is for."""

    connection: sqlite3.Connection
    seen: KnownKeys
    generations: Generations
    blobs: Blobs
    position: int
    receipt: int
    quarantine_id: int
    streams: dict[tuple[str, str, str], int]
    keep_raw: float
    keep_events: float
    raws: bool

    @classmethod
    def load(
        cls,
        connection: sqlite3.Connection,
        directory: DataDir,
        window: float,
        clock: Callable[[], float],
        bound: int,
        keep_raw: float = 0.0,
        keep_events: float = 0.0,
    ) -> "LogWriter":
        """Prepare the connection, upgrade the file, and read what memory must hold.

        `keep_raw` is for how many seconds requests are kept beside their events, `keep_events` for how many the events
        themselves are; 0 is for ever.
        """
        for setting in SETTINGS:
            connection.execute(setting).fetchall()
        upgrade(connection, directory.events)
        # SQLite does this for its log, but not for the file itself.
        sync_folder(directory.path)
        (watermark,) = connection.execute("SELECT value FROM meta WHERE name = 'watermark'").fetchone()
        (last,) = connection.execute(LAST).fetchone()
        # Positions below the watermark are never given again, even where the log's end was cut off by hand.
        position = max(watermark, last)
        seen = KnownKeys(bound)
        seen.load(connection, watermark, position, directory.path)
        generations = Generations(window, clock, seen.rotate)
        generations.load(connection)
        blobs = Blobs(directory.blobs)
        blobs.sweep()
        (receipt,) = connection.execute("SELECT coalesce(max(id), 0) FROM receipts").fetchone()
        (quarantine_id,) = connection.execute(LAST_QUARANTINED).fetchone()
        streams = {
            (project, dialect, route): number
            for number, project, dialect, route in connection.execute("SELECT * FROM streams")
        }
        (raws,) = connection.execute("SELECT EXISTS (SELECT 1 FROM raws)").fetchone()
        numbers = (position, receipt, quarantine_id, streams)
        return cls(connection, seen, generations, blobs, *numbers, keep_raw, keep_events, bool(raws))

    def commit(self, entries: Sequence[Entry]) -> list[Appended]:
        """Decide and write the group in one transaction; on any exception it is rolled back and memory is as before."""
        # Read outside the transaction: with one writer nothing can change between here and the commit.
        plan = decide(entries, self._snapshot(entries), partial(RECEIPT_RANDOM.getrandbits, RECEIPT_RANDOM_BITS))
        for entry, answer in zip(entries, plan.answers, strict=True):
            for blob in entry.blobs if answer.status is AppendStatus.NEW else ():
                self.blobs.keep(blob)
        if entries and not plan.counts and not plan.settled:
            return plan.answers
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            (last,) = self.connection.execute(LAST).fetchone()
            if last > self.position:
                raise Broken("somebody else wrote to the log")
            self._write(plan)
            merged = self.seen.merge(self.connection, self.position, len(plan.keys))
            after_commit = self.generations.step(self.connection, force=not entries)
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
            raise
        self.position, self.receipt, self.quarantine_id = plan.position, plan.receipt, plan.quarantine_id
        self.streams |= plan.streams
        self.raws = self.raws or bool(plan.raws)
        self.seen.remember(plan.keys, merged)
        after_commit()
        return plan.answers

    def close(self, directory: DataDir) -> None:
        """Leave to the next start what it need not read again then. Raises OSError."""
        self.seen.save(self.position, directory.path)

    def _snapshot(self, entries: Sequence[Entry]) -> Snapshot:
        """Return what was committed before, as far as this group must know."""
        keys = [row.key for entry in entries for row in entry.rows if row.key is not None]
        quarantined = {
            quarantined.key for entry in entries for quarantined in entry.quarantined if quarantined.key is not None
        }
        return Snapshot(
            self.position,
            self.receipt,
            self.quarantine_id,
            self.seen.find(self.connection, [*keys, *quarantined]),
            self._claimed(entries),
            {
                bytes.fromhex(key)
                for found in select_in(self.connection, QUARANTINED_KEYS, list(quarantined))
                for key in found.split(",")
            },
            self._pending(entries),
            self.streams,
        )

    def _claimed(self, entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, bytes, int]]:
        digests = [entry.idempotency.digest for entry in entries if entry.idempotency is not None]
        claimed: dict[bytes, tuple[bytes, bytes, int]] = {}
        for found in select_in(self.connection, CLAIMED, digests):
            for line in found.split(","):
                *texts, receipt = line.split(":")
                digest, fingerprint, outcomes = map(bytes.fromhex, texts)
                claimed[digest] = (fingerprint, outcomes, int(receipt))
        return claimed

    def _pending(self, entries: Sequence[Entry]) -> dict[int, str]:
        numbers = [entry.resolves for entry in entries if entry.resolves is not None]
        pending: dict[int, str] = {}
        for found in select_in(self.connection, PENDING, numbers):
            for line in found.split(","):
                number, _, verdict = line.partition(":")
                pending[int(number)] = verdict
        return pending

    def _write(self, plan: Plan) -> None:
        log = chunks(plan.events, self.position)
        bulk_insert(self.connection, "INSERT INTO log ", 3, log, chunk=8, row=CHUNK)
        bulk_insert(self.connection, "INSERT INTO receipts ", 6, plan.receipts)
        if self.keep_events:
            # Twice as many as come, so that what is over never piles up; a chunk may be an event.
            most = 8 + 2 * len(log)
            self.seen.merge_up_to = forget(self.connection, plan.receipt, self.keep_events, most)
        bulk_insert(self.connection, "INSERT INTO streams ", 4, plan.named_streams())
        bulk_insert(self.connection, QUARANTINE, 12, plan.quarantine)
        bulk_insert(self.connection, "INSERT INTO requests ", 8, plan.requests)
        bulk_insert(self.connection, "INSERT INTO raws ", 2, plan.raws)
        if self.raws:
            # By the receipts' own time, a few a commit, so that no commit is long: twice as many as one may add.
            oldest = (plan.receipt >> RECEIPT_RANDOM_BITS) - int(self.keep_raw * 1000)
            self.connection.execute(FORGET_RAWS, (max(0, oldest) << RECEIPT_RANDOM_BITS, 100 + len(plan.raws)))
        bulk_insert(self.connection, "INSERT INTO settled ", 4, plan.settlements())
        for number in plan.settled:
            for statement in SETTLE:
                self.connection.execute(statement, (number,))
        bulk_insert(self.connection, "INSERT INTO claims_current ", 4, plan.claimed())
        bulk_insert(self.connection, "INSERT INTO counters ", 4, plan.counters(), ADD_UP)
