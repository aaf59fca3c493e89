"""Writes rows of TABLES of gateway/storage/moving.py into a database, inside the caller's transaction."""

from collections.abc import Mapping, Sequence

from gateway.storage.moving import TABLES, Row
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.moving.log_rows import GATEWAY, INSERT_KEYS
from gateway.storage.postgres.positions import parse
from gateway.storage.postgres.rejected import fit
from gateway.storage.postgres.tables import GUARDED_FROM

KEYS_AT = TABLES["quarantine"].index("keys")
HAS_STRAYS = "UPDATE gateway.state SET strays = generation"
CLEAR: Mapping[str, str] = {
    "secrets": "DELETE FROM gateway.secrets WHERE name NOT IN ('salt', 'version')",
    "quarantine": "DELETE FROM gateway.quarantined_requests",
    "facts": "UPDATE gateway.state SET quarantine_secret = NULL, counted_since = NULL, erasure_secret = NULL",
}
CLAIMS = (
    "INSERT INTO gateway.claims (project, digest, generation, fingerprint, outcomes, receipt) "
    "SELECT project, digest, generation, fingerprint, outcomes, receipt FROM gateway.state, "
    "unnest($1::text[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[]) "
    "AS added (project, digest, fingerprint, outcomes, receipt) ORDER BY 1, 2 ON CONFLICT DO NOTHING"
)
CREDENTIALS = (
    "INSERT INTO gateway.credentials (number, id, project, dialect, kind, hint, scopes, origins, created_at, "
    "revoked_at, expires_at, hash, label, rotated) "
    "SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6::text[], $7::text[], "
    "$8::bigint, $9::bigint, $10::bigint, $11, $12, $13 FROM gateway.credentials"
)
SECRETS = (
    "INSERT INTO gateway.secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
USES = f"INSERT INTO gateway.credential_uses ({', '.join(TABLES['credential_uses'])}) VALUES ($1, $2, $3, $4, $5, $6)"
QUARANTINE = (
    "INSERT INTO gateway.quarantined_requests (project, id, last, remaining, size, received_at, dialect, route, "
    "receipt, body_size, sha256, items, keys, request) "
    "VALUES ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1000.0), $7, $8, $9, $10, $11, $12, $13, $14)"
)
SETTLED = (
    "INSERT INTO gateway.settled (project, id, verdict, xid, number, at) "
    "VALUES ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1000.0))"
)
REJECTED = (
    f"INSERT INTO gateway.rejected ({', '.join(TABLES['rejected'])}) VALUES ("
    + ", ".join(
        [
            f"to_timestamp(${place}::bigint / 1000.0)" if name == "received_at" else f"${place}"
            for place, name in enumerate(TABLES["rejected"], 1)
        ]
    )
    + ")"
)
BACKUPS = "INSERT INTO gateway.backups (name, made_at, events) VALUES ($1, $2, $3)"
ERASURES = "INSERT INTO gateway.erasures (project, kind, hash, at) VALUES ($1, $2, $3, $4)"
ERASED_MESSAGES = "INSERT INTO gateway.erased_messages (project, hash) VALUES ($1, $2)"
AS_THEY_ARE: Mapping[str, str] = {
    "credentials": CREDENTIALS,
    "credential_uses": USES,
    "secrets": SECRETS,
    "backups": BACKUPS,
    "erasures": ERASURES,
    "erased_messages": ERASED_MESSAGES,
}
OF_OLD = "SELECT moved_from, xid, number FROM gateway.events WHERE moved_from = ANY ($1::bigint[])"
COMPLETE = (
    "DELETE FROM gateway.quarantine_sizes",
    "INSERT INTO gateway.quarantine_sizes (project, gateway, bytes) "
    f"SELECT project, {GATEWAY}, sum(size) FROM gateway.quarantined_requests GROUP BY project",
    "DELETE FROM gateway.quarantined_keys",
    "INSERT INTO gateway.quarantined_keys (project, key) SELECT project, key FROM gateway.quarantined_requests, "
    "unnest(keys) AS key WHERE key IS NOT NULL ON CONFLICT DO NOTHING",
    "UPDATE gateway.rejected_sizes SET bytes = "
    "(SELECT coalesce(sum(size), 0) FROM gateway.rejected WHERE rejected.known = rejected_sizes.known)",
    "SELECT setval('gateway.rejected_ids', greatest((SELECT coalesce(max(id), 0) FROM gateway.rejected), 1))",
    "UPDATE gateway.state SET numbers_given = greatest(numbers_given, "
    "(SELECT coalesce(max(last), 0) FROM gateway.quarantined_requests), "
    "(SELECT coalesce(max(id), 0) FROM gateway.settled))",
    # Each erasure is counted, so that gateways read them; and those that know of none may not start.
    "UPDATE gateway.state SET erasures = (SELECT count(*) FROM gateway.erasures)",
    f"UPDATE gateway.meta SET compatible_from = greatest(compatible_from, {GUARDED_FROM}) "
    "WHERE EXISTS (SELECT 1 FROM gateway.erasures)",
)


async def clear(db: Connection, table: str) -> None:
    """Delete all rows of a table."""
    await db.execute(CLEAR.get(table, f"DELETE FROM gateway.{table}"))


async def add(db: Connection, table: str, rows: Sequence[Row]) -> None:
    """Add rows to a table."""
    if table == "keys":
        await db.execute(INSERT_KEYS, [project for project, _ in rows], [key for _, key in rows])
    elif table == "claims":
        await db.execute(CLAIMS, *zip(*rows, strict=True))
    elif table == "facts":
        await _add_facts(db, dict(rows))
    elif table == "settled":
        await db.executemany(SETTLED, await _settled(db, rows))
    elif table == "quarantine":
        await db.executemany(QUARANTINE, [_quarantined(row) for row in rows])
    elif table == "rejected":
        await db.executemany(REJECTED, [_rejected(row) for row in rows])
    elif table in AS_THEY_ARE:
        await db.executemany(AS_THEY_ARE[table], rows)
    else:
        await db.execute(_counted(table), *zip(*rows, strict=True))
    if table in ("keys", "claims") and any(not project for project, *_ in rows):
        await db.execute(HAS_STRAYS)


async def complete(db: Connection) -> None:
    """Work out what follows from the rows."""
    for statement in COMPLETE:
        await db.execute(statement)


def _counted(table: str) -> str:
    """Return the statement that adds counts, as those of a gateway of its own."""
    types = {"count": "bigint", "start": "bigint", "span": "int"}
    columns = TABLES[table]
    arrays = ", ".join([f"${place}::{types.get(name, 'text')}[]" for place, name in enumerate(columns, 1)])
    listed = ", ".join(columns)
    return (
        f"INSERT INTO gateway.{table} ({listed}, gateway) "
        f"SELECT {listed}, {GATEWAY} FROM unnest({arrays}) AS added ({listed})"
    )


async def _add_facts(db: Connection, facts: Mapping[str, object]) -> None:
    await db.execute(
        "UPDATE gateway.state SET quarantine_secret = $1, numbers_given = greatest(numbers_given, $2), "
        "counted_since = $3, erasure_secret = $4",
        *(facts["quarantine_secret"], facts["last_number"], facts["counted_since"], facts.get("erasure_secret")),
    )


async def _settled(db: Connection, rows: Sequence[Row]) -> list[Row]:
    """Return the rows with the positions that the events have here; None for those that are not there any more."""
    old = [position for _, _, _, position, _ in rows if isinstance(position, int)]
    places: dict[object, tuple[int | None, int | None]] = {
        moved: (xid, number) for moved, xid, number in (await db.fetch(OF_OLD, old) if old else ())
    }
    places |= {position: parse(position) for _, _, _, position, _ in rows if isinstance(position, str)}
    return [
        (project, number, verdict, *places.get(position, (None, None)), at)
        for project, number, verdict, position, at in rows
    ]


def _quarantined(row: Row) -> Row:
    keys = row[KEYS_AT]
    return (*row[:KEYS_AT], keys if keys and any(key is not None for key in keys) else None, *row[KEYS_AT + 1 :])


def _rejected(row: Row) -> Row:
    named = dict(zip(TABLES["rejected"], row, strict=True))
    named |= {"project": named["project"] or "", "cut": bool(named["cut"]), "known": bool(named["known"])}
    return tuple([fit(value) for value in named.values()])
