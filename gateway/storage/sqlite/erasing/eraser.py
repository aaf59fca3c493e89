"""SQLite's Eraser: searches in this process, and asks whoever has the log open for the changes, step by step.

The order makes a kill harmless: first the erasure itself, which holds back what comes; then the events, each step with
the hashes of their messages; then all else by these; then what is free in the files is overwritten.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import attrs

from gateway.datadir import DataDir, DataDirError, find
from gateway.dialect.outcome import StorageUnavailable
from gateway.records.person import Person
from gateway.storage.erasing.eraser import MOST_OTHER_IDS, ErasureReport, PayloadOf
from gateway.storage.erasing.hashes import message_hash, person_hash
from gateway.storage.erasing.step import ErasingStorage, ErasureStep, StepResult
from gateway.storage.sqlite import rejected_file
from gateway.storage.sqlite.connection.database_thread import DatabaseThread
from gateway.storage.sqlite.erasing import rejected, scrub
from gateway.storage.sqlite.erasing.apply import DIGEST, pending_blobs
from gateway.storage.sqlite.erasing.scan import PERSON_FIELDS, FoundLine, find_lines, named_files
from gateway.storage.sqlite.erasing.tables import read_secret
from gateway.storage.sqlite.erasing.traces import Traces
from gateway.storage.sqlite.read import event_receipts
from gateway.storage.sqlite.read.log import open_log
from gateway.storage.sqlite.read.reader import Reader
from gateway.storage.sqlite.tables import VERSION

Result = TypeVar("Result")
CHUNKS, BYTES = 8, 4 << 20
"""How many chunks a step changes at most, and about how many bytes of lines it has."""
ROWS = 200
"""The same of receipts, idempotency keys and kept requests."""
HELD_ROWS = 5
REJECTED_LAG = 1.5
"""Seconds after which a rejected request is surely in its file: a server writes them once a second."""
CLEAN_TRIES, CLEAN_PAUSE = 40, 0.25
ENDS = (
    "SELECT (SELECT coalesce(max(last), 0) FROM log), (SELECT coalesce(max(id), 0) FROM receipts), "
    "(SELECT coalesce(max(last), 0) FROM quarantined_requests)"
)
HAS_RAWS = "SELECT EXISTS (SELECT 1 FROM raws)"
NOT_CLEAN = "the write-ahead log of {} still has old copies: somebody keeps reading it; erase again once nobody does"
OLD_FILE = (
    "{} was written by an older gateway too, which left old copies in unused parts of the file: erase again while no "
    "gateway runs"
)


@attrs.define
class SqliteEraser:
    """See Eraser. `writer` takes the steps; without one nothing can be changed. `is_alone` says that it is in here."""

    directory: DataDir
    thread: DatabaseThread
    writer: ErasingStorage | None
    is_alone: bool

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls, directory: DataDir, writer: ErasingStorage | None, *, is_alone: bool
    ) -> AsyncIterator["SqliteEraser"]:
        """Open the log to be searched. Raises DataDirError if there is none, or one of an older gateway."""
        directory = find(directory.path)
        thread, version = await open_log(directory)
        try:
            if version < VERSION:
                raise DataDirError(f"{directory.events} was written by an older gateway; `gateway serve` upgrades it")
            yield cls(directory, thread, writer, is_alone)
        finally:
            await thread.close()

    async def erase(self, person: Person, *, at: int, payload_of: PayloadOf, dry_run: bool = False) -> ErasureReport:
        """See Eraser."""
        begun = asyncio.get_running_loop().time()
        secret = await self._read(read_secret)
        if self.is_alone:  # else the server has done it
            await self._rejected(partial(rejected_file.upgrade, self.directory))
        if not dry_run:
            who = (person.kind, person_hash(secret, person.project, person.kind, person.id), at)
            await self._step(ErasureStep(person.project, person=who))
        newest, last_receipt, last_item = await self._read(lambda file: file.execute(ENDS).fetchone())
        traces = Traces(
            reader=await self._read(lambda file: Reader(self.directory, (file, VERSION))),
            person=person,
            secret=secret,
            last_receipt=last_receipt,
            last_item=last_item,
            payload_of=payload_of,
        )
        report = await self._erase_lines(traces, newest, dry_run=dry_run)
        report = await self._erase_traces(traces, report, at, dry_run=dry_run)
        if not dry_run:
            report = attrs.evolve(report, files=await self._erase_files(person.project))
        wait = 0.0 if dry_run or self.is_alone else REJECTED_LAG - (asyncio.get_running_loop().time() - begun)
        await asyncio.sleep(max(0.0, wait))
        count = await self._rejected(partial(rejected.erase_rejected, self.directory, person, at, dry_run=dry_run))
        report = attrs.evolve(report, rejected=count)
        return report if dry_run else attrs.evolve(report, left=tuple(await self._scrub(person.project)))

    async def _erase_lines(self, traces: Traces, newest: int, *, dry_run: bool) -> ErasureReport:
        """Remove the person's events up to a position, and the id from those of others."""
        person = traces.person
        found = await self._read(partial(find_lines, person=person, until=newest))
        events = mentions = parts = raws = 0
        files: set[bytes] = set()
        others: dict[tuple[str, str], None] = {}
        has_raws = bool((await self._read(lambda file: file.execute(HAS_RAWS).fetchone()))[0])
        while batch := await self._read(lambda _: _batch(found)):
            parts += sum(each.has_part for each in batch)
            own = [each for each in batch if each.event is not None]
            receipts = await self._read(partial(self._receipts, lines=own)) if has_raws else ()
            step = ErasureStep(
                person.project,
                messages=tuple([_message(traces.secret, person.project, each.event or {}) for each in own]),
                lines=tuple([(each.position, each.old, each.new) for each in batch if each.new != each.old]),
                raws=tuple(receipts),
            )
            traces.erased.update(step.messages)
            traces.answered.update(receipts)
            for each in own:
                _note_ids(others, each.event or {}, person)
                files.update(DIGEST.findall(each.old))
            if dry_run:
                changed = len(step.lines) - len(own)
                result = StepResult(events=len(own), mentions=changed)
            else:
                result = await self._step(step)
            events, mentions, raws = events + result.events, mentions + result.mentions, raws + result.raws
        return ErasureReport(
            events=events,
            mentions=mentions,
            parts_left=parts,
            kept_requests=raws,
            files=len(files),
            other_ids=tuple(islice(others, MOST_OTHER_IDS)),
        )

    def _receipts(self, file: sqlite3.Connection, lines: Iterable[FoundLine]) -> list[int]:
        """Return the receipts of events, whose kept requests go: also those in which the id is encoded."""
        reader = Reader(self.directory, (file, VERSION))
        found = [event_receipts.receipt_id_of(reader, each.position) for each in lines]
        return sorted({int(each, 16) for each in found if each is not None})

    async def _erase_traces(self, traces: Traces, report: ErasureReport, at: int, *, dry_run: bool) -> ErasureReport:
        """Erase what hangs on the events, and what is kept of requests."""
        project = traces.person.project
        receipts, raws, held = 0, report.kept_requests, 0
        async for requests in self._each(traces.held, HELD_ROWS):
            held += sum([len(each.gone) for each in requests])
            await self._step(ErasureStep(project, held=tuple(requests), at=at), dry_run)
        await self._read(lambda _: traces.read_messages())
        async for changed in self._each(traces.receipts, ROWS):
            receipts += len(changed)
            await self._step(ErasureStep(project, receipts=tuple(changed)), dry_run)
        async for claims in self._each(traces.claims, ROWS):
            await self._step(ErasureStep(project, claims=tuple(claims)), dry_run)
        async for kept in self._each(traces.raws, ROWS):
            raws += len(kept)
            await self._step(ErasureStep(project, raws=tuple(kept)), dry_run)
        return attrs.evolve(report, receipts=receipts, kept_requests=raws, quarantined=held)

    async def _erase_files(self, project: str) -> int:
        """Remove the files of erased events that no other event has."""
        pending = await self._read(pending_blobs)
        if not pending:
            return 0
        named, scanned = await self._read(partial(named_files, names=pending))
        alone = tuple([name for name in pending if name not in named])
        done = tuple(pending)
        return (await self._step(ErasureStep(project, blobs=alone, scanned=scanned, done=done))).blobs

    async def _scrub(self, project: str) -> list[str]:
        """Overwrite what is free in the files, and empty the write-ahead logs; return what was not possible."""
        left: list[str] = []
        if await self._read(scrub.is_unscrubbed):
            left += await self._write_anew(project)
        while (await self._step(ErasureStep(project, overwrite=True))).rest:
            pass
        for _ in range(CLEAN_TRIES):
            if (await self._step(ErasureStep(project, clean=True))).is_clean:
                break
            await asyncio.sleep(CLEAN_PAUSE)
        else:
            left.append(NOT_CLEAN.format(self.directory.events.name))
        if not await self._rejected(partial(rejected.write_anew, self.directory)):
            left.append(NOT_CLEAN.format(self.directory.rejected.name))
        return left

    async def _write_anew(self, project: str) -> list[str]:
        """Write the file of an older gateway anew, if nobody waits and there is room; return what was not possible."""
        name = self.directory.events.name
        if not self.is_alone:
            return [OLD_FILE.format(name)]
        try:
            await self._step(ErasureStep(project, vacuum=True))
        except StorageUnavailable as problem:
            return [f"{name} cannot be written anew, and may have old copies in unused parts: {problem}"]
        return []

    async def _step(self, step: ErasureStep, dry_run: bool = False) -> StepResult:
        if dry_run:
            return StepResult()
        assert self.writer is not None, "only a dry run goes without"
        return await self.writer.erase(step)

    async def _each(self, begin: Callable[[], Iterator[Result]], most: int) -> AsyncIterator[list[Result]]:
        things = begin()
        while some := await self._read(lambda _: list(islice(things, most))):
            yield some

    async def _read(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await self.thread.run(question)
        except sqlite3.Error as error:
            raise DataDirError(f"cannot read {self.directory.path}: {error}") from error

    async def _rejected(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.to_thread(work)
        except sqlite3.Error as error:
            raise DataDirError(f"cannot erase from {self.directory.rejected}: {error}") from error


def _batch(found: Iterator[FoundLine]) -> list[FoundLine]:
    """Return the next lines for one step: those of a few chunks."""
    batch: list[FoundLine] = []
    chunks: set[int] = set()
    size = 0
    for each in found:
        batch.append(each)
        chunks.add(each.last)
        size += len(each.old) + len(each.new)
        if len(chunks) >= CHUNKS or size >= BYTES:
            break
    return batch


def _message(secret: bytes, project: str, event: dict[str, Any]) -> bytes:
    return message_hash(secret, project, str(event.get("dialect")), str(event.get("message_id")))


def _note_ids(others: dict[tuple[str, str], None], event: dict[str, Any], person: Person) -> None:
    """Note the ids that an event has beside the person's."""
    for field in PERSON_FIELDS:
        value = event.get(field)
        if isinstance(value, str) and value != person.id and len(others) < MOST_OTHER_IDS:
            others[field, value] = None
