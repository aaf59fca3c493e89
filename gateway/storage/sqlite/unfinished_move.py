"""The progress of a move into a data directory, in the table `meta`: what every writer of the log must look at."""

import json
import sqlite3
from pathlib import Path

from gateway.datadir import DataDirError
from gateway.storage.moving import unfinished

PROGRESS = "SELECT value FROM meta WHERE name = 'move'"


def check_finished(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DataDirError if a move into the file has begun and is not finished: nothing else may write to it."""
    found = connection.execute(PROGRESS).fetchone()
    if found is not None and (told := unfinished(json.loads(found[0]), path.parent)) is not None:
        raise DataDirError(told)
