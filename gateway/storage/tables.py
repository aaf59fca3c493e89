"""The tables of events.db, and how an older file becomes a newer one. No rows are read or written here.

Anyone may open the file with plain `sqlite3` and ask it questions: `events.body` and the quarantine's `faults` and
`payload` are JSON text.
"""

import sqlite3

from gateway.storage.datadir import DataDirError

SEEN = "CREATE TABLE seen_current (key BLOB PRIMARY KEY) WITHOUT ROWID"
CLAIMS = "CREATE TABLE claims_current (digest BLOB PRIMARY KEY, fingerprint BLOB, memory BLOB) WITHOUT ROWID"

# One tuple of statements a version, never changed once released: the file's PRAGMA user_version counts them.
UPGRADES: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE events (position INTEGER PRIMARY KEY, key BLOB, body TEXT NOT NULL)",
        "CREATE TABLE quarantine (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, received_at INTEGER NOT NULL, "
        "project TEXT NOT NULL, dialect TEXT NOT NULL, route TEXT NOT NULL, faults TEXT NOT NULL, "
        "payload TEXT NOT NULL)",
        "CREATE TABLE counters (project TEXT, dialect TEXT, verdict TEXT, count INTEGER NOT NULL, "
        "PRIMARY KEY (project, dialect, verdict)) WITHOUT ROWID",
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
        "INSERT INTO meta VALUES ('watermark', 0), ('elapsed', 0.0)",
        SEEN,
        "CREATE TABLE seen_previous (key BLOB PRIMARY KEY) WITHOUT ROWID",
        CLAIMS,
        "CREATE TABLE claims_previous (digest BLOB PRIMARY KEY, fingerprint BLOB, memory BLOB) WITHOUT ROWID",
    ),
)
VERSION = len(UPGRADES)


def version(connection: sqlite3.Connection, path: object) -> int:
    """Return the file's schema version. Raises DataDirError on one that this gateway does not know."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        message = f"{path} was written by a newer gateway (schema {found}, this one knows {VERSION}); upgrade this one"
        raise DataDirError(message)
    return found


def upgrade(connection: sqlite3.Connection, path: object) -> None:
    """Bring the file to this version, one transaction a step, so that a kill in between leaves a whole version."""
    for step in range(version(connection, path), VERSION):
        connection.execute("BEGIN IMMEDIATE")
        for statement in UPGRADES[step]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {step + 1}")
        connection.execute("COMMIT")
