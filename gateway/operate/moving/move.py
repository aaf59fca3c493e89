"""Moves one store into another while gateways serve the first, and goes on where a killed move was."""

import asyncio
from collections.abc import Callable
from typing import Any

import attrs

from gateway.operate.moving.digest import LogDigest
from gateway.operate.moving.files import named_files
from gateway.storage.moving import GROWING, TABLES, Cursor, LogBatch, MoveSource, MoveTarget, Row
from gateway.store_error import StoreError

FEW = 5000
"""Once a round moves fewer events than this, the source can be stopped: the rest takes seconds."""
PAUSE = 0.2
REST = [table for table in ("facts", *TABLES) if table not in GROWING]
"""The tables that are moved whole, at the end; the facts first."""
ROWS = 50_000
"""How many rows of GROWING tables are written in one transaction."""
COMPARED = [table for table in REST if table not in ("facts", "secrets")]


@attrs.frozen
class MoveResult:
    """What was moved: `digest` is that of all events. `was_finished` says that an earlier move did it."""

    events: int
    receipts: int
    digest: str
    was_finished: bool = False


@attrs.define
class Move:
    """One run of a move. `say` is told what the operator must know, `count` how many events are moved so far."""

    source: MoveSource
    target: MoveTarget
    say: Callable[[str], object]
    count: Callable[[int], object] = lambda _: None
    _progress: dict[str, Any] = attrs.field(factory=dict, init=False)
    _digests: tuple[LogDigest, LogDigest] = attrs.field(factory=lambda: (LogDigest(), LogDigest()), init=False)

    async def run(self) -> MoveResult:
        """Move all there is. Raises StoreError; the next run goes on then, and after a kill."""
        identity = await self.source.identity()
        begun = {"source": identity, "name": self.source.name, "finished": False, "log": [], "grown": False}
        begun |= {"events": 0, "receipts": 0, "digest": "", "mark": await self.source.mark()}
        self._progress = await self.target.begin(begun)
        if self._progress["source"] != identity:
            raise StoreError(f"{self.target.name} has been filled from another store, {self._progress['name']}")
        if not self._progress["finished"]:
            await self._catch_up()
            async with self.source.exclusive():
                await self._finish()
            return self._result()
        return attrs.evolve(self._result(), was_finished=True)

    def _result(self) -> MoveResult:
        return MoveResult(self._progress["events"], self._progress["receipts"], self._progress["digest"])

    async def _catch_up(self) -> None:
        """Move the log, and what is long beside it, until little is left and no gateway runs on the source."""
        while await self._move_log() >= FEW:
            pass
        if not self._progress["grown"]:
            await self._move_growing(None)
            self._progress["grown"] = True
            await self.target.save(self._progress)
        while await self._move_log() >= FEW:
            pass
        await self._compare(self._progress["events"])
        is_told = False
        while await self.source.is_served():
            if not is_told:
                self.say(f"{self._progress['events']} events are moved; stop all gateways on {self.source.name} now")
                is_told = True
            if not await self._move_log():
                await asyncio.sleep(PAUSE)

    async def _finish(self) -> None:
        """Move the rest, with nobody writing to the source, and compare."""
        await self._move_log()
        await self._move_growing(self._progress["mark"])
        counts = {"receipts": self._progress["receipts"]}
        for table in REST:
            counts[table] = 0
            await self.target.clear(table)
            async for rows in self.source.rows(table):
                await self.target.add(table, rows)
                counts[table] += len(rows)
        await self.target.complete()
        for table in ("receipts", *COMPARED):
            there = await self.target.count(table)
            if there != counts[table]:
                raise StoreError(f"{self.target.name} has {there} rows of {table}, {self.source.name} {counts[table]}")
        await self._compare(None)
        self._progress |= {"finished": True, "digest": self._digests[1].text}
        await self.target.save(self._progress)

    async def _move_log(self) -> int:
        """Move the log up to its present end; return how many events it was."""
        moved = 0
        end: Cursor = await self.source.end()
        async for batch in self.source.log(self._progress["log"], end, self._progress["mark"]):
            await self._move_blobs(batch)
            before = self._progress["events"]
            progress = self._progress | {
                "log": batch.cursor,
                "events": before + len(batch.lines),
                "receipts": self._progress["receipts"] + len(batch.receipts),
            }
            # Meanwhile some of what was moved before is compared.
            some = self._digests[1].count + 2 * len(batch.lines)
            await asyncio.gather(self.target.append(batch, progress), self._compare(min(before, some)))
            self._progress = progress
            moved += len(batch.lines)
            self.count(progress["events"])
        return moved

    async def _move_growing(self, since: Cursor | None) -> None:
        """Move the rows of GROWING tables, many in one transaction."""
        for table in GROWING:
            waiting: list[Row] = []
            async for rows in self.source.rows(table, since):
                waiting += rows
                if len(waiting) >= ROWS:
                    await self.target.add(table, waiting)
                    waiting = []
            if waiting:
                await self.target.add(table, waiting)

    async def _move_blobs(self, batch: LogBatch) -> None:
        """Move the files that came with events, before the transaction that has the events."""
        for project, name in named_files(batch.lines):
            content = await self.source.blob(project, name)
            if content is not None:
                await self.target.keep_blob(project, name, content)

    async def _compare(self, until: int | None) -> None:
        """Compare the first events with those of the source, from where the last comparison was on; None: all."""
        source, target = self._digests
        await target.read(self.target.reader, until)
        await source.read(self.source.reader, until)
        if (source.count, source.text) != (target.count, target.text):
            raise StoreError(
                f"the events of {self.target.name} ({target.count} were compared) are not those of "
                f"{self.source.name} ({source.count}); if they were changed meanwhile, empty the target and move again"
            )
