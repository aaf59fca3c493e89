"""Makes a backup of a store, beside the gateways that serve it.

The log is read in rounds, each up to the end that it has then, and meanwhile what is long beside it: keys of events and
of requests. Then one snapshot fixes the moment of the backup. In it are read the events since the last round, the keys
since the first, and the short tables. So the counters are those of the events in the file, and no key is in it whose
event is not: after a restore its retry would be taken for a duplicate, and the event be lost.

- Keys that are read before the snapshot are of events before it: a key is committed together with its event. That holds
  for both generations; a rotation meanwhile only forgets what is to be forgotten.
- On SQLite an event's key is written into the table of keys later, up to a watermark. The first thing that is read is
  that watermark (`mark`), and each event after it brings its key along.
- On PostgreSQL a round ends at the horizon. The snapshot sees transactions beyond it, with their counts and keys; so in
  it all events that it sees are taken, wherever the horizon is.
- An event that is changed or deleted meanwhile may be in the backup as it was. Whoever erases is told of backups that
  have begun, because a backup is listed in the store before anything is read.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import attrs

from gateway import __version__
from gateway.keys.credential import KeyFileError
from gateway.operate.backup import members
from gateway.operate.backup.new_file import new_file
from gateway.operate.backup.verify import Contents
from gateway.operate.backup.writer import BackupWriter
from gateway.operate.moving.files import named_files
from gateway.storage.moving import GROWING, TABLES, Cursor, MoveSource
from gateway.storage.store import Backup, Store
from gateway.store_error import StoreError

FEW = 5000
"""Once a round has fewer events than this, the rest is read in the snapshot."""
REST = ["facts", *[table for table in TABLES if table not in (*GROWING, "facts", "rejected")]]
"""The tables that are read in the snapshot; the facts first, since other rows cannot be restored without them."""
REMEMBERED_FILES = 100_000
"""So many names of files that were written are remembered. A file that is written twice does no harm."""


@attrs.define
class Create:
    """One backup that is made. `count` is told how many events are written, and the line of the last one."""

    store: Store
    path: Path
    now: int
    with_rejected: bool = False
    count: Callable[[int, bytes | None], object] = lambda _events, _line: None
    _files: dict[tuple[str, str], None] = attrs.field(factory=dict, init=False)

    async def run(self) -> Contents:
        """Make it. Where that fails nothing stays. Raises StoreError, KeyFileError and OSError."""
        made_at = datetime.fromtimestamp(self.now / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        backup = Backup(name=str(self.path.absolute()), made_at=self.now)
        engine = (await self.store.info()).engine
        head = {
            "format": members.FORMAT,
            "version": members.VERSION,
            "id": secrets.token_hex(16),
            "made_at": made_at,
            "source": self.store.name,
            "engine": engine,
            "gateway": __version__,
            "tables": TABLES,
        }
        async with self.store.move_source() as source:
            await self.store.add_backup(backup)
            try:
                with new_file(self.path) as write:
                    writer = BackupWriter(write, head, self.now // 1000)
                    await self._write(source, writer)
                    digest = await asyncio.to_thread(writer.end)
            except BaseException:
                with contextlib.suppress(StoreError, KeyFileError):
                    await self.store.remove_backup(backup)
                raise
        await self.store.add_backup(attrs.evolve(backup, events=writer.counts["events"]))
        return Contents(
            counts=writer.contents(),
            bytes=writer.bytes,
            digest=digest,
            made_at=made_at,
            source=self.store.name,
            engine=engine,
            gateway=__version__,
        )

    async def _write(self, source: MoveSource, writer: BackupWriter) -> None:
        mark = await source.mark()
        cursor = await self._rounds(source, writer, [], mark)
        for table in GROWING:
            await self._rows(source, writer, table)
        cursor = await self._rounds(source, writer, cursor, mark)
        async with source.snapshot() as end:
            await self._log(source, writer, cursor, end, mark)
            for table in GROWING:
                await self._rows(source, writer, table, since=mark)
            for table in (*REST, "rejected") if self.with_rejected else REST:
                await self._rows(source, writer, table)

    async def _rounds(self, source: MoveSource, writer: BackupWriter, cursor: Cursor, mark: Cursor) -> Cursor:
        """Read the log until little is left, or no less than before: others may write as fast as this reads."""
        before = None
        while True:
            start = writer.counts["events"]
            cursor = await self._log(source, writer, cursor, await source.end(), mark)
            last = writer.counts["events"] - start
            if last < FEW or (before is not None and last > before // 2):
                return cursor
            before = last

    async def _log(self, source: MoveSource, writer: BackupWriter, cursor: Cursor, end: Cursor, mark: Cursor) -> Cursor:
        """Read the log up to an end; return the cursor to go on with."""
        async for batch in source.log(cursor, end, mark):
            for project, name in named_files(batch.lines):
                await self._file(source, writer, project, name)
            await asyncio.to_thread(writer.add_batch, batch)
            cursor = batch.cursor
            self.count(writer.counts["events"], batch.lines[-1] if batch.lines else None)
        return cursor

    async def _rows(self, source: MoveSource, writer: BackupWriter, table: str, since: Cursor | None = None) -> None:
        async for rows in source.rows(table, since):
            await asyncio.to_thread(writer.add_rows, table, rows)

    async def _file(self, source: MoveSource, writer: BackupWriter, project: str, name: str) -> None:
        if (project, name) in self._files:
            return
        content = await source.blob(project, name)
        if content is not None:
            await asyncio.to_thread(writer.add_file, project, name, content)
            self._files[project, name] = None
            if len(self._files) > REMEMBERED_FILES:
                del self._files[next(iter(self._files))]
