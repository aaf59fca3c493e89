"""The tables of events.db, and how an older file becomes a newer one. No rows are read or written here.

Anyone may open the file with plain `sqlite3` and ask it questions: `events` is a view with a row an event, made of the
log, whose rows hold many (see chunks.py), with its JSON in `body`; the quarantine's `faults` and
`payload`, the requests' `query` and `headers`, and the receipts' `outcomes` are JSON text.
"""

import sqlite3
from pathlib import Path

from gateway import sqlite_file

SEEN = (
    "CREATE TABLE seen_current (bucket INTEGER, run INTEGER, keys BLOB NOT NULL, PRIMARY KEY (bucket, run)) "
    "WITHOUT ROWID"
)
CLAIMS = (
    "CREATE TABLE claims_current (digest BLOB PRIMARY KEY, fingerprint BLOB, memory BLOB, receipt INTEGER) "
    "WITHOUT ROWID"
)

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
        "CREATE TABLE seen_current (key BLOB PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE seen_previous (key BLOB PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE claims_current (digest BLOB PRIMARY KEY, fingerprint BLOB, memory BLOB) WITHOUT ROWID",
        "CREATE TABLE claims_previous (digest BLOB PRIMARY KEY, fingerprint BLOB, memory BLOB) WITHOUT ROWID",
    ),
    (
        # What is held: both what is not fit to be an event and what was filtered. `item` is its place in its request;
        # what an older gateway kept has no request.
        "ALTER TABLE quarantine ADD COLUMN verdict TEXT NOT NULL DEFAULT 'quarantined'",
        "ALTER TABLE quarantine ADD COLUMN key BLOB",
        "ALTER TABLE quarantine ADD COLUMN item INTEGER",
        "ALTER TABLE quarantine ADD COLUMN receipt INTEGER",
        "CREATE INDEX quarantine_by_key ON quarantine (key) WHERE key IS NOT NULL",
        "CREATE INDEX quarantine_by_receipt ON quarantine (receipt) WHERE receipt IS NOT NULL",
        # Once a request, however many of its items are held; gone with the last of them.
        "CREATE TABLE requests (receipt INTEGER PRIMARY KEY, method TEXT NOT NULL, path TEXT NOT NULL, "
        "query TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL, client_ip TEXT, site TEXT)",
        # Requests of stored events, compressed; they go when their time is over.
        "CREATE TABLE raws (receipt INTEGER PRIMARY KEY, packed BLOB NOT NULL)",
        # What became of held items since: `verdict` is stored or duplicate (replayed), or dropped.
        "CREATE TABLE settled (id INTEGER PRIMARY KEY, verdict TEXT NOT NULL, position INTEGER, at INTEGER NOT NULL)",
        # A request's `count` events lie from `position` on, unless `outcomes` tells them one by one.
        "CREATE TABLE receipts (id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, stream INTEGER NOT NULL, "
        "position INTEGER NOT NULL, count INTEGER NOT NULL, outcomes TEXT)",
        "CREATE TABLE streams (id INTEGER PRIMARY KEY, project TEXT NOT NULL, dialect TEXT NOT NULL, "
        "route TEXT NOT NULL, UNIQUE (project, dialect, route))",
        "ALTER TABLE claims_current ADD COLUMN receipt INTEGER",
        "ALTER TABLE claims_previous ADD COLUMN receipt INTEGER",
    ),
    (
        # What was a row an event becomes a chunk of one as it stands, so that a large file is upgraded in no time.
        "ALTER TABLE events RENAME TO log",
        "ALTER TABLE log RENAME COLUMN position TO last",
        "ALTER TABLE log RENAME COLUMN key TO keys",
        "ALTER TABLE log RENAME COLUMN body TO lines",
        "CREATE VIEW events AS SELECT last + 1 - coalesce(length(keys) / 16, 1) + line.key AS position, "
        "nullif(substr(keys, 16 * line.key + 1, 16), zeroblob(16)) AS key, line.value AS body "
        "FROM log, json_each('[' || replace(lines, char(10), ',') || ']') AS line",
        # Where a key lies depends on a number of each file's own; olderkeys.py puts there what these tables have.
        "INSERT INTO meta VALUES ('salt', random() & 9223372036854775807 | 1)",
        "ALTER TABLE seen_current RENAME TO keys_current",
        "ALTER TABLE seen_previous RENAME TO keys_previous",
        "DROP TABLE IF EXISTS seen_forgotten",
        SEEN,
        SEEN.replace("seen_current", "seen_previous"),
    ),
    # The verdict has one name everywhere.
    ("UPDATE counters SET verdict = 'rejected' WHERE verdict = 'refused'",),
)
VERSION = len(UPGRADES)
CHUNKED = 3  # the version from which on the log has chunks


def upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to this version, one transaction a step, so that a kill in between leaves a whole version."""
    for step in range(sqlite_file.version(connection, path, VERSION), VERSION):
        with sqlite_file.transaction(connection):
            for statement in UPGRADES[step]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {step + 1}")
