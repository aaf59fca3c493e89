"""SQLite's LogReader: pages of the log, on a thread and a connection of its own. Read-only, no lock.

It works beside a running server, without one, and after a kill. A position is a decimal integer.
"""

import re
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from gateway import sqlite_file
from gateway.datadir import DataDir, DataDirError
from gateway.storage.read import EVERYTHING, EventFilter, Page, Position, export
from gateway.storage.sqlite.database_thread import DatabaseThread
from gateway.storage.sqlite.read.pages import LogPages
from gateway.storage.sqlite.tables import VERSION

Result = TypeVar("Result")
COUNT_PAGE = 100_000
"""How many positions are counted in one statement."""
_POSITION = re.compile("[0-9]{1,18}", re.ASCII)


class SqliteLogReader:
    """The log of a data directory. See LogReader."""

    def __init__(self, directory: DataDir, thread: DatabaseThread, pages: LogPages) -> None:
        self._path = directory.events
        self._thread = thread
        self._pages = pages

    @classmethod
    async def open(cls, directory: DataDir) -> "SqliteLogReader":
        """Open the log. Raises DataDirError if the directory has none that can be read."""
        path = directory.events
        try:
            thread = await DatabaseThread.open(sqlite_file.uri(path, "ro"))
        except sqlite3.Error as error:
            raise DataDirError(f"cannot read {path}: {error}") from error
        try:
            version = await thread.run(lambda connection: sqlite_file.version(connection, path, VERSION))
            if version == 0:
                raise DataDirError(f"{directory.path} holds no events yet")
        except sqlite3.Error as error:
            await thread.close()
            raise DataDirError(f"cannot read {path}: {error}") from error
        except BaseException:
            await thread.close()
            raise
        return cls(directory, thread, LogPages(version))

    def parse_position(self, text: str) -> Position:
        """See LogReader."""
        if not _POSITION.fullmatch(text):
            raise ValueError(text)
        return int(text)

    async def page(self, after: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """See LogReader."""
        return await self._run(partial(self._pages.page, after=int(after or 0), where=where))

    async def page_back(self, until: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """See LogReader."""
        return await self._run(partial(self._pages.page_back, until=None if until is None else int(until), where=where))

    async def at(self, positions: Sequence[Position]) -> list[tuple[Position, bytes]]:
        """See LogReader."""
        return [*await self._run(partial(self._pages.at, positions=[int(each) for each in positions]))]

    async def newest(self) -> Position:
        """See LogReader."""
        return await self._run(self._pages.newest)

    async def count(self, where: EventFilter = EVERYTHING) -> int:
        """See LogReader. Without a condition no line is read."""
        if where != EVERYTHING:
            return sum([len(page.lines) async for page in export(self, where=where)])
        start, last = await self._run(self._pages.ends)
        count = 0
        for low in range(start, last, COUNT_PAGE):
            count += await self._run(partial(self._pages.count, low=low, high=min(low + COUNT_PAGE, last)))
        return count

    async def close(self) -> None:
        """See LogReader."""
        await self._thread.close()

    async def _run(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await self._thread.run(question)
        except sqlite3.Error as error:
            raise DataDirError(f"cannot read {self._path}: {error}") from error
