"""The tables of events.db, and the upgrade of an older file. Rows are read and written elsewhere.

Anyone may query the file with plain `sqlite3`. `events` is a view over the log, whose rows hold many events each (see
log/chunks.py): it has one row for each event, with the event's JSON in `body`. `lines` of the log is compressed where
it is a blob (see log/compression.py). `log_times` says when the events from a position on were received (see
log/times.py). `outcomes` of the receipts is JSON, compressed by zlib where it is a blob; so are `items` and `request`
of the quarantine. `counters` has the totals, `counter_buckets` what they have grown by in a time of `span` seconds from
`start` (seconds since the epoch) on.
"""

import sqlite3
from pathlib import Path

from gateway.storage.sqlite.connection import sqlite_file

SEEN = (
    "CREATE TABLE seen_current (bucket INTEGER, run INTEGER, keys BLOB NOT NULL, PRIMARY KEY (bucket, run)) "
    "WITHOUT ROWID"
)
CLAIMS = (
    "CREATE TABLE claims_current (digest BLOB PRIMARY KEY, fingerprint BLOB, memory BLOB, receipt INTEGER) "
    "WITHOUT ROWID"
)
# Empty lines become nulls, which are no events. A replacement goes on behind what it replaced: hence twice.
EVENTS = (
    "CREATE VIEW events AS SELECT last + 1 - coalesce(length(keys) / 16, 1) + line.key AS position, "
    "nullif(substr(keys, 16 * line.key + 1, 16), zeroblob(16)) AS key, line.value AS body "
    "FROM log, json_each(CASE WHEN gone IS NULL THEN '[' || replace({lines}, char(10), ',') || ']' "
    "ELSE '[' || trim(replace(replace(replace(char(10) || {lines} || char(10), char(10, 10), char(10) || 'null' || "
    "char(10)), char(10, 10), char(10) || 'null' || char(10)), char(10), ','), ',') || ']' END) AS line "
    "WHERE line.type = 'object'"
)

# One tuple of statements for each version, never changed once released. PRAGMA user_version counts them.
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
        # The quarantine: invalid items and filtered ones. `item` is an item's index in its request. Rows of an older
        # gateway have no request.
        "ALTER TABLE quarantine ADD COLUMN verdict TEXT NOT NULL DEFAULT 'quarantined'",
        "ALTER TABLE quarantine ADD COLUMN key BLOB",
        "ALTER TABLE quarantine ADD COLUMN item INTEGER",
        "ALTER TABLE quarantine ADD COLUMN receipt INTEGER",
        "CREATE INDEX quarantine_by_key ON quarantine (key) WHERE key IS NOT NULL",
        "CREATE INDEX quarantine_by_receipt ON quarantine (receipt) WHERE receipt IS NOT NULL",
        # The requests of quarantined items, each once. A request goes with the last of its items.
        "CREATE TABLE requests (receipt INTEGER PRIMARY KEY, method TEXT NOT NULL, path TEXT NOT NULL, "
        "query TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL, client_ip TEXT, site TEXT)",
        # The requests of stored events, compressed, until they expire.
        "CREATE TABLE raws (receipt INTEGER PRIMARY KEY, packed BLOB NOT NULL)",
        # How quarantined items ended: `verdict` is stored or duplicate (replayed), or dropped.
        "CREATE TABLE settled (id INTEGER PRIMARY KEY, verdict TEXT NOT NULL, position INTEGER, at INTEGER NOT NULL)",
        # The `count` events of a request are at `position` and after it, unless `outcomes` lists them one by one.
        "CREATE TABLE receipts (id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, stream INTEGER NOT NULL, "
        "position INTEGER NOT NULL, count INTEGER NOT NULL, outcomes TEXT)",
        "CREATE TABLE streams (id INTEGER PRIMARY KEY, project TEXT NOT NULL, dialect TEXT NOT NULL, "
        "route TEXT NOT NULL, UNIQUE (project, dialect, route))",
        "ALTER TABLE claims_current ADD COLUMN receipt INTEGER",
        "ALTER TABLE claims_previous ADD COLUMN receipt INTEGER",
    ),
    (
        # A row with one event is a chunk of one as it is, so that a large file is upgraded at once.
        "ALTER TABLE events RENAME TO log",
        "ALTER TABLE log RENAME COLUMN position TO last",
        "ALTER TABLE log RENAME COLUMN key TO keys",
        "ALTER TABLE log RENAME COLUMN body TO lines",
        "CREATE VIEW events AS SELECT last + 1 - coalesce(length(keys) / 16, 1) + line.key AS position, "
        "nullif(substr(keys, 16 * line.key + 1, 16), zeroblob(16)) AS key, line.value AS body "
        "FROM log, json_each('[' || replace(lines, char(10), ',') || ']') AS line",
        # The bucket of a key depends on this random number. migrate_v2.py then moves the keys of the old tables.
        "INSERT INTO meta VALUES ('salt', random() & 9223372036854775807 | 1)",
        "ALTER TABLE seen_current RENAME TO keys_current",
        "ALTER TABLE seen_previous RENAME TO keys_previous",
        "DROP TABLE IF EXISTS seen_forgotten",
        SEEN,
        SEEN.replace("seen_current", "seen_previous"),
    ),
    # The verdict has the same name everywhere.
    ("UPDATE counters SET verdict = 'rejected' WHERE verdict = 'refused'",),
    (
        # What the counters have grown by in each minute and each hour (see buckets.py), since the time in `meta` where
        # an older gateway has counted without.
        "CREATE TABLE counter_buckets (span INTEGER, start INTEGER, project TEXT, dialect TEXT, verdict TEXT, "
        "count INTEGER NOT NULL, PRIMARY KEY (span, start, project, dialect, verdict)) WITHOUT ROWID",
        "INSERT INTO meta SELECT 'buckets_since', CAST(strftime('%s', 'now') AS INTEGER) "
        "WHERE EXISTS (SELECT 1 FROM counters)",
    ),
    (
        # The quarantine has a row for each request; an older one was set aside. Its items have the ids from `id` to
        # `last`; `remaining` counts those that are not in `settled`. `keys` has eight bytes for each item (see
        # quarantine.py), `size` is what counts of it in `quarantine_sizes`. Without room for the request `body_size`
        # and `sha256` are its body's.
        "CREATE TABLE IF NOT EXISTS quarantined_requests (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, "
        "remaining INTEGER NOT NULL, size INTEGER NOT NULL, received_at INTEGER NOT NULL, project TEXT NOT NULL, "
        "dialect TEXT NOT NULL, route TEXT NOT NULL, receipt INTEGER, body_size INTEGER, sha256 BLOB, "
        "items BLOB NOT NULL, keys BLOB, request BLOB)",
        "CREATE TABLE IF NOT EXISTS quarantined_keys (hash INTEGER PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS quarantine_sizes (project TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT OR IGNORE INTO meta VALUES ('quarantine_secret', randomblob(16))",
        # A row for each item that is there, for people; payloads and faults are compressed in `items`.
        "CREATE VIEW IF NOT EXISTS quarantine AS WITH RECURSIVE items (id, last, request) AS ("
        "SELECT id, last, id FROM quarantined_requests "
        "UNION ALL SELECT id + 1, last, request FROM items WHERE id < last) "
        "SELECT items.id, received_at, project, dialect, route, receipt "
        "FROM items JOIN quarantined_requests held ON held.id = items.request "
        "WHERE NOT EXISTS (SELECT 1 FROM settled WHERE settled.id = items.id)",
    ),
    # From here on `meta` may name the file of the saved filters (see filter_file.py). An older gateway, which does not
    # know that a rotation makes it useless, must not open the file.
    # `size` is that of the lines where they are compressed (see log/compression.py).
    (
        "DELETE FROM meta WHERE name = 'filters'",
        "ALTER TABLE log ADD COLUMN size INTEGER",
        # Where in the log a time is (see log/times.py). The spans of what is there already are made of a thousand looks
        # at the receipts, so that a large file is upgraded at once, too. What is before the first receipt, and behind
        # the last look, may be of any time.
        "CREATE TABLE IF NOT EXISTS log_times (first INTEGER PRIMARY KEY, since INTEGER NOT NULL, "
        "before INTEGER NOT NULL)",
        "INSERT OR IGNORE INTO log_times SELECT 0, 0, 9223372036854775807 WHERE EXISTS (SELECT 1 FROM log)",
        "WITH RECURSIVE looks (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM looks WHERE n < 1000), "
        "covered (start, length) AS (SELECT min(id) >> 20, (max(id) >> 20) - (min(id) >> 20) FROM receipts) "
        # Of several looks at one receipt the last is right: there is nothing between the others.
        "INSERT OR REPLACE INTO log_times "
        "SELECT (SELECT position FROM receipts WHERE id >= (start + n * length / 1000) << 20 ORDER BY id LIMIT 1), "
        "0, CASE n WHEN 1000 THEN 9223372036854775807 ELSE start + (n + 1) * length / 1000 END "
        "FROM looks, covered WHERE start IS NOT NULL ORDER BY n",
    ),
    (
        # `gone` is 1 if a line of the row is empty, because its event was removed (see log/chunks.py).
        "ALTER TABLE log ADD COLUMN gone INTEGER",
        # Who was erased when, and the messages of theirs (see ../erasing.py): hashes under a secret of this file.
        "CREATE TABLE IF NOT EXISTS erasures (project TEXT, kind TEXT, hash BLOB, at INTEGER NOT NULL, "
        "PRIMARY KEY (project, kind, hash)) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS erased_messages (hash BLOB PRIMARY KEY, project TEXT NOT NULL) WITHOUT ROWID",
        "INSERT OR IGNORE INTO meta VALUES ('erasure_secret', randomblob(32))",
        # An older gateway left what it deleted in the unused parts of the file's pages (see erasing/scrub.py).
        "INSERT OR IGNORE INTO meta SELECT 'unscrubbed', 1 WHERE EXISTS (SELECT 1 FROM log)",
        "DROP VIEW IF EXISTS events",
        EVENTS.format(lines="lines"),
        # Up to where the expired events and receipts of a project were removed, if its time is shorter than others'.
        "CREATE TABLE IF NOT EXISTS expired (project TEXT PRIMARY KEY, position INTEGER NOT NULL, "
        "receipt INTEGER NOT NULL) WITHOUT ROWID",
    ),
)
VERSION = len(UPGRADES)
CHUNKED = 3
"""The first version whose log has chunks."""
BY_REQUEST = 6
"""The first version whose quarantine has a row for each request."""
SIZED = 7
"""The first version whose chunks may be compressed."""
ERASING = 8
"""The first version whose events may be removed one by one."""
# `events` once chunks may be compressed. Programs without the function cannot ask it, so it is not there before.
COMPRESSED_EVENTS = EVENTS.format(
    lines="CASE WHEN size IS NULL THEN lines ELSE CAST(sqlar_uncompress(lines, size) AS TEXT) END"
)
TIMED = 7
"""The first version with an index from time to positions."""


def upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Upgrade the file to this version, one transaction for each step, so that a kill leaves a whole version.

    Raises DataDirError on a file of a newer gateway, and sqlite3.Error.
    """
    for step in range(sqlite_file.version(connection, path, VERSION), VERSION):
        with sqlite_file.transaction(connection):
            if step + 1 == BY_REQUEST:
                _set_quarantine_aside(connection)
            for statement in UPGRADES[step]:
                connection.execute(statement)
            sqlite_file.set_version(connection, step + 1)


def show_compressed(connection: sqlite3.Connection) -> None:
    """Let the view `events` read compressed chunks too. Raises sqlite3.Error."""
    (view,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'events'").fetchone()
    if view != COMPRESSED_EVENTS:
        with sqlite_file.transaction(connection):
            connection.execute("DROP VIEW events")
            connection.execute(COMPRESSED_EVENTS)


def _set_quarantine_aside(connection: sqlite3.Connection) -> None:
    """Rename the tables of an older quarantine, for migrate_v5.py, or drop them if they are empty."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'quarantine'").fetchone():
        return
    (holds_items,) = connection.execute("SELECT EXISTS (SELECT 1 FROM quarantine)").fetchone()
    for name in ("quarantine", "requests"):
        connection.execute(f"ALTER TABLE {name} RENAME TO {name}_v5" if holds_items else f"DROP TABLE {name}")
