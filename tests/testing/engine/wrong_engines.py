"""Engines that break one promise each, over SQLite's store: what the kit's checks of engines have to catch.

`open_store("toy-forgets-keys:/data")` opens one where `installed` has been called.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from gateway.storage.contract import Appended, AppendStatus, Entry
from gateway.storage.read import EVERYTHING, EventFilter, Page, Position
from gateway.storage.sqlite.store import open_store as open_sqlite
from gateway.storage.store import StoreSettings
from gateway.testing.check import Check
from gateway.testing.engine.suite import engine_checks
from gateway.testing.engine.under_test import EngineUnderTest


@attrs.define(slots=False)
class Wrapped:
    """Does what the inner one does, but for what a subclass does wrong."""

    inner: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class ForgetsKeys(Wrapped):
    async def append(self, entry: Entry) -> Appended:
        rows = tuple([attrs.evolve(row, key=None) for row in entry.rows])
        appended: Appended = await self.inner.append(attrs.evolve(entry, rows=rows))
        return appended


class ForgetsIdempotency(Wrapped):
    async def append(self, entry: Entry) -> Appended:
        appended: Appended = await self.inner.append(attrs.evolve(entry, idempotency=None))
        return appended


class DoublesTheLast(Wrapped):
    async def append(self, entry: Entry) -> Appended:
        again = [attrs.evolve(row, key=None) for row in entry.rows[-1:]]
        rows = (*entry.rows, *again) if not entry.outcomes else entry.rows
        appended: Appended = await self.inner.append(attrs.evolve(entry, rows=rows))
        return appended


class CommitsHalf(Wrapped):
    """Commits the rows of an entry in two transactions, and is slow between them: only one entry is ever whole."""

    is_whole = False

    async def append(self, entry: Entry) -> Appended:
        if entry.outcomes or len(entry.rows) < 2:
            appended: Appended = await self.inner.append(entry)
            return appended
        for row in entry.rows:
            await self.inner.append(attrs.evolve(entry, rows=(row,), idempotency=None))
            if self.is_whole:
                await asyncio.Event().wait()  # for the kill: a moment would be one that it may miss
        self.is_whole = True
        return Appended(AppendStatus.NEW)


class AnswersFirst(Wrapped):
    """Answers before the commit."""

    waiting: set[asyncio.Future[Appended]]

    async def append(self, entry: Entry) -> Appended:
        self.waiting = getattr(self, "waiting", set())
        committing = self.inner.submit(entry)
        self.waiting.add(committing)
        committing.add_done_callback(self.waiting.discard)
        await asyncio.sleep(0)
        return Appended(AppendStatus.NEW)


class LosesReceipts(Wrapped):
    async def receipt(self, _receipt: str) -> None:
        return None


class CountsNoDuplicates(Wrapped):
    async def counters(self) -> list[Any]:
        return [each for each in await self.inner.counters() if each[2] != "duplicate"]


class SkipsTheFirst(Wrapped):
    """Begins to read behind the first event that follows a position."""

    async def page(self, after: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        page: Page = await self.inner.page(after, where)
        return Page(page.positions[1:], b"\n".join(page.lines[1:]), page.cursor, page.more)


class TakesAnyPosition(Wrapped):
    def parse_position(self, text: str) -> Position:
        return int(text)


WRITERS: dict[str, Callable[[Any], Any]] = {
    "toy-forgets-keys": ForgetsKeys,
    "toy-forgets-idempotency": ForgetsIdempotency,
    "toy-doubles-the-last": DoublesTheLast,
    "toy-commits-half": CommitsHalf,
    "toy-answers-first": AnswersFirst,
}
RECORDS: dict[str, Callable[[Any], Any]] = {
    "toy-loses-receipts": LosesReceipts,
    "toy-counts-no-duplicates": CountsNoDuplicates,
}
READERS: dict[str, Callable[[Any], Any]] = {
    "toy-skips-the-first": SkipsTheFirst,
    "toy-takes-any-position": TakesAnyPosition,
}
SCHEMES = (*WRITERS, *RECORDS, *READERS)


def same(inner: Any) -> Any:
    return inner


@attrs.define(slots=False)
class WrongStore(Wrapped):
    scheme: str = ""

    @asynccontextmanager
    async def storage(self, settings: StoreSettings) -> AsyncIterator[Any]:
        async with self.inner.storage(settings) as storage:
            yield WRITERS.get(self.scheme, same)(storage)

    @asynccontextmanager
    async def records(self) -> AsyncIterator[Any]:
        async with self.inner.records() as records:
            yield RECORDS.get(self.scheme, same)(records)

    @asynccontextmanager
    async def log(self) -> AsyncIterator[Any]:
        async with self.inner.log() as reader:
            yield READERS.get(self.scheme, same)(reader)


def open_store(url: str) -> WrongStore:
    scheme, _, path = url.partition(":")
    return WrongStore(open_sqlite(f"sqlite:{path}"), scheme)


def installed(folder: Path) -> None:
    """Make a distribution whose entry points are the engines, for whoever has the folder on its path."""
    metadata = folder / "toy_engines-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-engines\nVersion: 1.0\n")
    lines = [f"{scheme} = {__name__}:open_store" for scheme in SCHEMES]
    (metadata / "entry_points.txt").write_text("\n".join(["[gateway.storage]", *lines, ""]))


def engine(scheme: str) -> EngineUnderTest:
    @contextmanager
    def empty() -> Iterator[str]:
        with TemporaryDirectory(prefix="toy-") as folder:
            path = Path(folder) / "data"
            path.mkdir(mode=0o700)
            yield f"{scheme}:{path}"

    return EngineUnderTest(scheme, empty, is_exact=True)


def check_of(scheme: str, name: str) -> Check:
    [check] = [each for each in engine_checks(engine(scheme)) if each.name == name]
    return check
