"""The progress of a move into a data directory, in the table `meta`: what every writer of the log must look at."""

import json
import sqlite3
from pathlib import Path

from gateway.datadir import DataDirError

PROGRESS = "SELECT value FROM meta WHERE name = 'move'"


def check_finished(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DataDirError if a move into the file has begun and is not finished: nothing else may write to it."""
    found = connection.execute(PROGRESS).fetchone()
    progress = {"finished": True} if found is None else json.loads(found[0])
    if not progress["finished"]:
        raise DataDirError(
            f"a move from {progress['name']} into {path.parent} is not finished; "
            "run `gateway storage move` again to its end"
        )
