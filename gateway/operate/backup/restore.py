"""Restores a backup into a new store, and goes on where a restore that was killed has come to.

The log is written in the backup's batches, each in one transaction with how far the restore is. The short tables are
written after it, and begun anew by each run. No gateway starts on the store until the backup was read to its end, with
the right digest, and the store has as many rows.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import attrs

from gateway.operate.backup.members import BackupError
from gateway.operate.backup.reader import BackupReader, File, Piece, TableRows
from gateway.operate.backup.verify import Contents, contents_of
from gateway.storage.moving import GROWING, TABLES, LogBatch, MoveTarget
from gateway.store_error import StoreError

SHORT = [table for table in TABLES if table not in GROWING]
"""The tables that each run begins anew."""
COMPARED = [table for table in SHORT if table not in ("facts", "secrets")]
COMMAND = "gateway backup restore"


@attrs.define
class Restore:
    """One run. `count` is told how many events were read, and which share of the file."""

    reader: BackupReader
    target: MoveTarget
    count: Callable[[int, float], object] = lambda _events, _share: None
    _progress: dict[str, Any] = attrs.field(factory=dict, init=False)
    _is_cleared: bool = attrs.field(default=False, init=False)

    async def run(self) -> Contents | None:
        """Restore all there is; return what it was, or None if an earlier run has done it. Raises StoreError."""
        source = f"backup {self.reader.head['id']}"
        begun: dict[str, Any] = {"source": source, "name": str(self.reader.path), "doing": "restore", "again": COMMAND}
        begun |= {"finished": False, "member": 0, "sha256": "", "events": 0}
        self._progress = await self.target.begin(begun)
        if self._progress["source"] != source:
            raise StoreError(
                f"{self.target.name} has been filled from {self._progress['name']}; restore to a new place"
            )
        if self._progress["finished"]:
            return None
        pieces = self.reader.pieces()
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            try:
                await self._put(piece)
            except (
                ValueError,
                TypeError,
                KeyError,
                IndexError,
                AttributeError,
                OverflowError,
                AssertionError,
            ) as error:
                # The digest is right or wrong, but no gateway has written this.
                what = f"{self.reader.path}, member {self.reader.number}: its rows are none that a gateway writes"
                raise BackupError(what) from error
            self.count(self.reader.counts["events"], self.reader.read / self.reader.size)
        await self._clear()
        await self.target.complete()
        await self._compare()
        await self.target.save(self._progress | {"finished": True})
        return contents_of(self.reader)

    async def _put(self, piece: Piece) -> None:
        # What is beside the log is written again: a file or a key that is there already does no harm.
        if isinstance(piece, LogBatch):
            await self._append(piece)
        elif isinstance(piece, File):
            await self.target.keep_blob(piece.project, piece.name, piece.content)
        else:
            await self._add(piece)

    async def _append(self, batch: LogBatch) -> None:
        number, digest = self.reader.number, self.reader.digest
        if number < self._progress["member"]:
            return
        if number == self._progress["member"]:
            if digest != self._progress["sha256"]:
                raise StoreError(
                    f"{self.target.name} was filled in part from another copy of {self.reader.path}; "
                    "restore to a new place"
                )
            return
        progress = self._progress | {"member": number, "sha256": digest, "events": self.reader.counts["events"]}
        await self.target.append(batch, progress)
        self._progress = progress

    async def _add(self, piece: TableRows) -> None:
        if piece.table not in GROWING:
            await self._clear()
        elif self.reader.number < self._progress["member"]:
            return  # written before a batch that is there
        await self.target.add(piece.table, piece.rows)

    async def _clear(self) -> None:
        if not self._is_cleared:
            for table in SHORT:
                await self.target.clear(table)
            self._is_cleared = True

    async def _compare(self) -> None:
        for table in ("receipts", *COMPARED):
            there, here = await self.target.count(table), self.reader.counts[table]
            if there != here:
                raise StoreError(f"{self.target.name} has {there} rows of {table}, {self.reader.path} {here}")
