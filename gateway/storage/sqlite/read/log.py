"""SQLite's LogReader: pages of the log, on a thread and a connection of its own. Read-only, no lock.

It works beside a running server, without one, and after a kill. A position is a decimal integer. An event that was
moved here from PostgreSQL keeps its old position, `XID-N`, as another name.
"""

import re
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from gateway.datadir import DataDir, DataDirError, EmptyDataDir
from gateway.storage.read import EVERYTHING, EventFilter, Page, Position, export
from gateway.storage.sqlite import old_positions
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.database_thread import DatabaseThread
from gateway.storage.sqlite.read.pages import LogPages
from gateway.storage.sqlite.tables import VERSION

Result = TypeVar("Result")
COUNT_PAGE = 100_000
"""How many positions are counted in one statement."""
_POSITION = re.compile("[0-9]{1,18}", re.ASCII)


async def open_log(directory: DataDir) -> tuple[DatabaseThread, int]:
    """Open the log for reading; return its thread, which the caller closes, and its schema version.

    Raises DataDirError if the directory has none that can be read.
    """
    path = directory.events
    try:
        thread = await DatabaseThread.open(sqlite_file.uri(path, "ro"))
    except sqlite3.Error as error:
        raise DataDirError(f"cannot read {path}: {error}") from error
    try:
        version = await thread.run(lambda connection: sqlite_file.version(connection, path, VERSION))
        if version == 0:
            raise EmptyDataDir(f"{directory.path} holds no events yet")
    except sqlite3.Error as error:
        await thread.close()
        raise DataDirError(f"cannot read {path}: {error}") from error
    except BaseException:
        await thread.close()
        raise
    return thread, version


class SqliteLogReader:
    """The log of a data directory. See LogReader."""

    def __init__(self, directory: DataDir, thread: DatabaseThread, pages: LogPages) -> None:
        self._path = directory.events
        self._thread = thread
        self._pages = pages

    @classmethod
    async def open(cls, directory: DataDir) -> "SqliteLogReader":
        """Open the log. Raises DataDirError if the directory has none that can be read."""
        thread, version = await open_log(directory)
        return cls(directory, thread, LogPages(version))

    def parse_position(self, text: str) -> Position:
        """See LogReader."""
        if _POSITION.fullmatch(text):
            return int(text)
        old_positions.parsed(text)
        return text

    async def page(self, after: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """See LogReader."""
        return await self._run(lambda file: self._pages.page(file, _point(file, after or 0), where))

    async def page_back(self, until: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """See LogReader."""
        return await self._run(
            lambda file: self._pages.page_back(file, None if until is None else _point(file, until), where)
        )

    async def at(self, positions: Sequence[Position]) -> list[tuple[Position, bytes]]:
        """See LogReader."""
        return [*await self._run(lambda file: self._pages.at(file, _exact(file, positions)))]

    async def is_gone(self, position: Position) -> bool:
        """See LogReader."""
        return await self._run(partial(self._is_gone, position=position))

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

    def _is_gone(self, file: sqlite3.Connection, position: Position) -> bool:
        return any(self._pages.is_gone(file, each) for each in _exact(file, [position]))

    async def _run(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await self._thread.run(question)
        except sqlite3.Error as error:
            raise DataDirError(f"cannot read {self._path}: {error}") from error


def _point(file: sqlite3.Connection, position: Position) -> int:
    return position if isinstance(position, int) else old_positions.point(file, position)


def _exact(file: sqlite3.Connection, positions: Sequence[Position]) -> list[int]:
    """Return positions without those that no event has had."""
    found = [old_positions.current(file, each) for each in positions]
    return [each for each in found if each is not None]
