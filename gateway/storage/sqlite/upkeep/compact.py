"""Making events.db as small as it can be, while no gateway runs; from then on it gives free pages back by itself.

SQLite writes the file anew beside it, then through the write-ahead log into the file: a kill leaves the old contents or
the new ones. The file stays the same one, so that a console that has it open goes on.
"""

import shutil
import sqlite3

from gateway.datadir import DataDir, DataDirError, find
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.tables import VERSION
from gateway.storage.sqlite.upkeep.free_space import INCREMENTAL, FreeSpace

COPIES = 2
"""How often what is in the file is on the disk once more, for a while."""
MARGIN = 64 << 20


def compact(directory: DataDir) -> tuple[int, int]:
    """Return the size of events.db before and after. Raises DataDirError, and then nothing has changed."""
    directory = find(directory.path)
    with directory.lock():
        try:
            return _vacuum(directory)
        except (sqlite3.Error, OSError) as error:
            raise DataDirError(f"cannot compact {directory.events}: {error}") from error


def _vacuum(directory: DataDir) -> tuple[int, int]:
    path = directory.events
    with sqlite_file.connected(path, "rw") as connection:
        sqlite_file.version(connection, path, VERSION)
        connection.execute("PRAGMA synchronous = FULL")
        _checkpoint(connection)
        before, found = path.stat().st_size, FreeSpace.of(connection)
        needed = COPIES * (found.pages - found.free) * found.page_size + MARGIN
        left = shutil.disk_usage(directory.path).free
        if left < needed:
            raise DataDirError(f"to compact {path}, {needed >> 20} MB of its disk have to be free; {left >> 20} MB are")
        # Deprecated, and the only way to have the copy on the disk that was just looked at.
        connection.execute(f"PRAGMA temp_store_directory = {_quoted(str(directory.path.absolute()))}")
        connection.execute(INCREMENTAL)
        try:
            connection.execute("VACUUM")
            # Nothing is left of what an older gateway deleted, see erasing/scrub.py.
            connection.execute("DELETE FROM meta WHERE name = 'unscrubbed'")
        finally:
            connection.execute("PRAGMA temp_store_directory = ''")
        _checkpoint(connection)
    return before, path.stat().st_size


def _checkpoint(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
