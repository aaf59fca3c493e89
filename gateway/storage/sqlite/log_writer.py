"""The writer of events.db: commits groups of entries, one transaction each. Synchronous, on the writer's thread."""

import contextlib
import random
import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs

from gateway.datadir import DataDir, sync_folder
from gateway.storage.contract import Appended, AppendStatus, Broken, Entry
from gateway.storage.decide import decide
from gateway.storage.erasing.guard import Guard
from gateway.storage.erasing.step import ErasureStep, StepResult
from gateway.storage.plan import NOTHING, RECEIPT_RANDOM_BITS, HeldBack, Plan, Snapshot
from gateway.storage.sqlite.blobs import Blobs
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.errors import classify
from gateway.storage.sqlite.connection.statements import bulk_insert, select_in
from gateway.storage.sqlite.dedupe.claims import known_claims
from gateway.storage.sqlite.dedupe.filter_file import FilterSave
from gateway.storage.sqlite.dedupe.generations import Generations
from gateway.storage.sqlite.dedupe.known_keys import KnownKeys
from gateway.storage.sqlite.erasing import scrub
from gateway.storage.sqlite.erasing.apply import apply
from gateway.storage.sqlite.erasing.tables import read_guard
from gateway.storage.sqlite.log.chunks import chunks
from gateway.storage.sqlite.log.compression import register, stored
from gateway.storage.sqlite.log.merge import Tail, merged
from gateway.storage.sqlite.log.times import LogTimes
from gateway.storage.sqlite.log_settings import LogSettings
from gateway.storage.sqlite.quarantine import Quarantine, SizeChanges
from gateway.storage.sqlite.tables import VERSION, show_compressed, upgrade
from gateway.storage.sqlite.unfinished_move import check_finished
from gateway.storage.sqlite.upkeep.expiry import Expiry
from gateway.storage.sqlite.upkeep.free_space import INCREMENTAL, Shrinking, tell_of_compacting
from gateway.storage.sqlite.upkeep.retention import delete_expired, delete_expired_buckets, delete_expired_raws

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # Little is read again: look-ups are answered by the filters and the memtable.
    "PRAGMA cache_size = -8192",
    # Never in a commit: see checkpointer.py.
    "PRAGMA wal_autocheckpoint = 0",
    # What a reader that stays long has made longer than this becomes shorter again.
    "PRAGMA journal_size_limit = 67108864",
    # What is deleted is overwritten where its page is written anyway: nothing of it stays in the pages' unused parts.
    # Whole pages that become free are overwritten by an erasure only (erasing/scrub.py); doing that at each deletion
    # would double its cost.
    "PRAGMA secure_delete = FAST",
)
ERASED = "SELECT group_concat(hex(hash)) FROM erased_messages WHERE hash IN (?)"
ADD_TO_COUNT = " ON CONFLICT (project, dialect, verdict) DO UPDATE SET count = count + excluded.count"
ADD_TO_BUCKET = " ON CONFLICT (span, start, project, dialect, verdict) DO UPDATE SET count = count + excluded.count"
RECEIPT_RANDOM = random.Random()  # noqa: S311 (a receipt's number is not a secret)
INSERT_LOG = "INSERT INTO log (last, keys, lines, size) "
LAST = "SELECT coalesce(max(last), 0) FROM log"


@attrs.define
class LogWriter:
    """The only writer of a data directory's events.db; the caller holds the directory's lock.

    `position` and `receipt` are the last numbers given, `streams` the numbers of
    `(project, dialect, route)`. `has_raws` says whether requests of stored events are kept. `swept_minute` is the last
    minute (its start, in seconds) at which no expired bucket of the counters was left. `tail` are the chunks that
    may be merged. `guard` knows the erasures, `expiry` when events expire. `shrinking` gives free pages back. `broken`
    is set once the connection must not be used any more.
    """

    connection: sqlite3.Connection
    settings: LogSettings
    known_keys: KnownKeys
    generations: Generations
    blobs: Blobs
    quarantine: Quarantine
    log_times: LogTimes
    position: int
    receipt: int
    streams: dict[tuple[str, str, str], int]
    has_raws: bool
    tail: Tail
    guard: Guard
    expiry: Expiry
    shrinking: Shrinking
    swept_minute: int = 0
    broken: Broken | None = None

    @classmethod
    def load(cls, connection: sqlite3.Connection, directory: DataDir, settings: LogSettings) -> "LogWriter":
        """Prepare the connection, upgrade the file, and read what must be in memory.

        Raises DataDirError on a file of a newer gateway, sqlite3.Error and OSError.
        """
        if sqlite_file.version(connection, directory.events, VERSION) == 0:
            # Of a new file only: on another one this would write, and a file must open while its disk is full.
            connection.execute(INCREMENTAL)
        for pragma in PRAGMAS:
            connection.execute(pragma).fetchall()
        register(connection)
        upgrade(connection, directory.events)
        check_finished(connection, directory.events)
        connection.execute("DROP TABLE IF EXISTS overwritten")  # of an erasure that was killed, see erasing/scrub.py
        if settings.compress:
            show_compressed(connection)
        tell_of_compacting(connection, directory.events)
        # SQLite does this for the WAL, but not for the file itself.
        sync_folder(directory.path)
        (watermark,) = connection.execute("SELECT value FROM meta WHERE name = 'watermark'").fetchone()
        (last,) = connection.execute(LAST).fetchone()
        # Positions below the watermark are never given again, even if somebody deleted the end of the log by hand.
        position = max(watermark, last)
        known_keys = KnownKeys(settings.max_memtable_keys, settings.filter_bytes, settings.save_every)
        known_keys.load(connection, watermark, position, directory.path)
        generations = Generations(settings.window, settings.clock, known_keys.rotate)
        generations.load(connection)
        blobs = Blobs(directory.blobs)
        blobs.sweep()
        (receipt,) = connection.execute("SELECT coalesce(max(id), 0) FROM receipts").fetchone()
        quarantine = Quarantine.load(connection, settings.quarantine_bytes)
        streams = {
            (project, dialect, route): number
            for number, project, dialect, route in connection.execute("SELECT * FROM streams")
        }
        (has_raws,) = connection.execute("SELECT EXISTS (SELECT 1 FROM raws)").fetchone()
        return cls(
            connection=connection,
            settings=settings,
            known_keys=known_keys,
            generations=generations,
            blobs=blobs,
            quarantine=quarantine,
            log_times=LogTimes.load(connection, position),
            position=position,
            receipt=receipt,
            streams=streams,
            has_raws=bool(has_raws),
            tail=Tail(after=position),
            guard=read_guard(connection),
            expiry=Expiry.load(connection, settings.keep_events_of),
            shrinking=Shrinking(),
        )

    def commit(self, entries: Sequence[Entry]) -> list[Appended]:
        """Decide and write a group in one transaction. On any exception it is rolled back and memory is unchanged.

        Raises Broken if another process wrote to the log, sqlite3.Error, OSError, and any error of an unfit entry.
        """
        if self.broken is not None:
            raise self.broken
        # Read outside the transaction: with one writer nothing can change between here and the commit.
        snapshot = self._snapshot(entries)
        plan = decide(entries, snapshot, partial(RECEIPT_RANDOM.getrandbits, RECEIPT_RANDOM_BITS))
        for entry, answer in zip(entries, plan.answers, strict=True):
            for blob in snapshot.held_back.blobs_of(entry) if answer.status is AppendStatus.NEW else ():
                self.blobs.keep(blob)
        if entries and not plan.counts and not plan.settled:
            return plan.answers
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            (last,) = self.connection.execute(LAST).fetchone()
            if last > self.position:
                raise Broken("another process wrote to the log")
            quarantine_changes, tail, added = self._write(plan)
            flushed = self.known_keys.flush(self.connection, self.position, len(plan.keys))
            self._delete_expired(plan, added)
            after_commit = self.generations.step(self.connection, force=not entries)
            self.connection.execute("COMMIT")
        except BaseException as error:
            self.roll_back(error)
            raise
        self.position, self.receipt, self.tail = plan.position, plan.receipt, tail
        self.quarantine.committed(plan, quarantine_changes)
        self.log_times.committed()
        if plan.streams:
            self.streams |= plan.streams
            self.expiry.know([project for project, *_ in plan.streams])
        self.has_raws = self.has_raws or bool(plan.raws)
        self.known_keys.remember(plan.keys, flushed)
        after_commit()
        return plan.answers

    def renew(self, settings: LogSettings) -> None:
        """Follow other settings from the next commit on; those of the memtable and `compress` stay."""
        self.settings = attrs.evolve(settings, compress=self.settings.compress)
        self.generations.window, self.quarantine.bound = settings.window, settings.quarantine_bytes
        self.expiry.renew(settings.keep_events_of)

    def erase(self, step: ErasureStep) -> StepResult:
        """Do one step of an erasure, between two commits. Raises sqlite3.Error and OSError."""
        if step.overwrite:
            return StepResult(rest=scrub.overwrite(self.connection))
        if step.clean:
            return StepResult(is_clean=scrub.clean(self.connection))
        if step.vacuum:
            scrub.vacuum(self.connection)
            return StepResult()
        result, growth = apply(self.connection, step, self.blobs, compress=self.settings.compress)
        self.quarantine.erased(step.project, growth)
        if step.person is not None:
            self.guard = read_guard(self.connection)
        return result

    def roll_back(self, error: BaseException) -> None:
        """Undo what a transaction has done so far; after some errors the connection must not be used any more."""
        if isinstance(error, sqlite3.Error | OSError) and isinstance(why := classify(error), Broken):
            self.broken = why
        if self.connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")

    @property
    def save_is_due(self) -> bool:
        """Whether the filters are to be saved, so that a start after a kill need not read every key."""
        return self.known_keys.save_is_due

    def begin_save(self) -> FilterSave:
        """Begin to save the filters; the caller writes them, and ends the save."""
        return self.known_keys.begin_save(self.position)

    def end_save(self, save: FilterSave) -> None:
        """End a save that was written. Raises sqlite3.Error."""
        self.known_keys.end_save(self.connection, save)

    def close(self) -> None:
        """Save what the next start then need not read again. Raises OSError and sqlite3.Error."""
        self.known_keys.save(self.connection, self.position)

    def _snapshot(self, entries: Sequence[Entry]) -> Snapshot:
        """Return what was committed before, as far as it concerns this group."""
        keys = [row.key for entry in entries for row in entry.rows if row.key is not None]
        quarantined = {
            quarantined.key for entry in entries for quarantined in entry.quarantined if quarantined.key is not None
        }
        return Snapshot(
            position=self.position,
            receipt=self.receipt,
            quarantine_id=self.quarantine.last,
            seen=self.known_keys.find(self.connection, [*keys, *quarantined]),
            claims=known_claims(self.connection, entries),
            quarantined=self.quarantine.known(self.connection, quarantined),
            pending=self.quarantine.pending(
                self.connection, [entry.resolves for entry in entries if entry.resolves is not None]
            ),
            streams=self.streams,
            room=self.quarantine.room({entry.project for entry in entries if entry.quarantined}),
            held_back=self._held_back(entries),
        )

    def _held_back(self, entries: Sequence[Entry]) -> HeldBack:
        look = self.guard.look(entries)
        if look is None:
            return NOTHING
        found = ",".join(select_in(self.connection, ERASED, look.hashes))
        return look.held_back([bytes.fromhex(each) for each in found.split(",")] if found else [])

    def _write(self, plan: Plan) -> tuple[SizeChanges, Tail, int]:
        """Write the plan.

        Returns by how many bytes the quarantine of each project has changed, the log's tail, and a measure of how many
        chunks were added.
        """
        log = chunks(plan.events, self.position)
        bulk_insert(self.connection, INSERT_LOG, 4, self._rows(log), chunk=8)
        tail = merged(
            self.connection,
            self.tail,
            self.position,
            log,
            now=self.settings.clock(),
            compress=self.settings.compress,
        )
        self.log_times.write(self.connection, self.position + 1, plan)
        bulk_insert(self.connection, "INSERT INTO receipts ", 6, plan.receipts)
        if plan.streams:
            new = [project for project, *_ in plan.streams]
            self.expiry.begin(self.connection, new, self.position, self.receipt)
        bulk_insert(self.connection, "INSERT INTO streams ", 4, plan.named_streams())
        bulk_insert(self.connection, "INSERT INTO raws ", 2, plan.raws)
        bulk_insert(self.connection, "INSERT INTO settled ", 4, plan.settlements())
        quarantine_changes = self.quarantine.write(self.connection, plan)
        bulk_insert(self.connection, "INSERT INTO claims_current ", 4, plan.claimed())
        bulk_insert(self.connection, "INSERT INTO counters ", 4, plan.counters(), ADD_TO_COUNT)
        self._write_buckets(plan)
        return quarantine_changes, tail, len(log)

    def _delete_expired(self, plan: Plan, added: int) -> None:
        """Delete some of what has expired, once all else is written: see sqlite_file.overwriting."""
        if self.expiry.longest:
            # Twice as many as this commit adds, so that expired ones never pile up; a chunk may be a single event.
            _, expired = delete_expired(
                self.connection,
                now=plan.receipt >> RECEIPT_RANDOM_BITS,
                keep_seconds=self.expiry.longest,
                position=self.position,
                max_chunks=8 + 2 * added,
            )
            self.known_keys.flush_up_to = max(self.known_keys.flush_up_to, expired)
        if self.has_raws:
            now = plan.receipt >> RECEIPT_RANDOM_BITS
            # `plan.raws` has two values for each.
            delete_expired_raws(
                self.connection, now=now, keep_seconds=self.settings.keep_raw, added=len(plan.raws) // 2
            )

    def _rows(self, log: Sequence[Any]) -> list[object]:
        """Return the chunks (see `chunks`) as rows of the log, one after the other."""
        rows: list[object] = []
        for start in range(0, len(log), 3):
            last, keys, lines = log[start : start + 3]
            rows += (last, keys, *stored(lines, compress=self.settings.compress))
        return rows

    def _write_buckets(self, plan: Plan) -> None:
        """Add to the counters by time, and delete some of the expired ones where there may be any."""
        if not plan.counts:
            return
        rows = plan.counter_buckets()
        bulk_insert(self.connection, "INSERT INTO counter_buckets ", 6, rows, ADD_TO_BUCKET)
        newest = max(minute for minute, *_ in plan.counts)
        # Once a minute, or with each commit until none is left: at most 100, and twice as many as this commit adds
        # (each has six values), so that they never pile up.
        most = 100 + len(rows) // 3
        if newest != self.swept_minute and delete_expired_buckets(self.connection, now=newest, max_rows=most):
            self.swept_minute = newest
