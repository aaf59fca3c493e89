"""The tables of credentials: how they are made, the statements on them, and rows as values. No connection here.

They hold some thousands of rows at most, and are written when a person changes a credential. On a distributed database
they are reference tables: the hash of a value is unique among all projects.
"""

from collections.abc import Iterable, Mapping

from asyncpg import Record

from gateway.keys.admin import Admin
from gateway.keys.credential import CredentialRecord, KeyFileError
from gateway.keys.snapshot import StoredCredentials

CHANNEL = "gateway_keys"
"""Each change notifies this channel, without a payload."""
# gen_random_uuid is the only strong randomness that version 13 has without an extension: 122 bits each.
NEW_SECRETS = """
    INSERT INTO gateway.secrets (name, value)
    VALUES ('salt', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
        ('version', uuid_send(gen_random_uuid()))
    ON CONFLICT (name) DO NOTHING
"""
KEY_TABLES = (
    """
    CREATE TABLE gateway.credentials (
        id text PRIMARY KEY,
        number bigint NOT NULL UNIQUE,  -- the order of addition; no sequence, since changes wait for each other
        project text NOT NULL,
        dialect text NOT NULL,
        kind text NOT NULL,
        hint text,  -- what may be shown of the value
        scopes text[] NOT NULL,
        origins text[] NOT NULL,
        created_at bigint NOT NULL,  -- milliseconds since the epoch, like the next two
        revoked_at bigint,
        expires_at bigint,
        hash bytea NOT NULL UNIQUE
    )
    """,
    "CREATE TABLE gateway.secrets (name text PRIMARY KEY, value bytea NOT NULL)",
    NEW_SECRETS,
)
"""What makes the tables, and the secrets that all gateways share: a part of tables.py's first version.

`salt` is the key of all hashes, `admin` the hash of the admin token, and `version` is another one after each change.
"""
LABELS = (
    "ALTER TABLE gateway.credentials ADD COLUMN label text NOT NULL DEFAULT '', "
    "ADD COLUMN rotated boolean NOT NULL DEFAULT false",
    # Until then only a rotation gave a credential an end.
    "UPDATE gateway.credentials SET rotated = true WHERE expires_at IS NOT NULL",
)
"""A part of tables.py's second version. Gateways of the first one go on: they see and write the other columns."""
COLUMNS = "id, project, dialect, kind, hint, scopes, origins, created_at, revoked_at, expires_at, hash, label, rotated"
SELECT = f"SELECT {COLUMNS} FROM gateway.credentials ORDER BY number"
SELECT_ID = f"SELECT {COLUMNS} FROM gateway.credentials WHERE id = $1"
SELECT_HASH = f"SELECT {COLUMNS} FROM gateway.credentials WHERE hash = $1"
INSERT = f"""
    INSERT INTO gateway.credentials (number, {COLUMNS})
    SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6::text[], $7::text[], $8, $9, $10, $11, $12, $13
    FROM gateway.credentials
"""
UPDATE = """
    UPDATE gateway.credentials SET scopes = $2::text[], origins = $3::text[], revoked_at = $4, expires_at = $5,
        label = $6, rotated = $7
    WHERE id = $1
"""
SELECT_SECRETS = "SELECT name, value FROM gateway.secrets"
PUT_VALUE = """
    INSERT INTO gateway.secrets (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
DELETE_ADMIN = "DELETE FROM gateway.secrets WHERE name = 'admin'"
DELETE_CREDENTIALS = "DELETE FROM gateway.credentials"
BEGIN_CHANGE = "UPDATE gateway.secrets SET value = uuid_send(gen_random_uuid()) WHERE name = 'version'"
"""The first statement of each change: it locks the row until the commit, so that changes wait for each other."""
END_CHANGE = f"NOTIFY {CHANNEL}"


def to_record(row: Record) -> CredentialRecord:
    """Return a row of a SELECT as a record."""
    return CredentialRecord(
        id=row["id"],
        project=row["project"],
        dialect=row["dialect"],
        kind=row["kind"],
        masked=row["hint"],
        scopes=tuple(row["scopes"]),
        origins=tuple(row["origins"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        expires_at=row["expires_at"],
        label=row["label"],
        rotated=row["rotated"],
    )


def to_row(record: CredentialRecord, hashed: bytes) -> tuple[object, ...]:
    """Return a record, and the hash of its value, as the parameters of INSERT."""
    return (
        record.id,
        record.project,
        record.dialect,
        record.kind,
        record.masked,
        record.scopes,
        record.origins,
        record.created_at,
        record.revoked_at,
        record.expires_at,
        hashed,
        record.label,
        record.rotated,
    )


def to_secrets(rows: Iterable[Record]) -> dict[str, bytes]:
    """Return the rows of SELECT_SECRETS by name. Raises KeyFileError if what KEY_TABLES put there is gone."""
    secrets = {row["name"]: row["value"] for row in rows}
    if not secrets.keys() >= {"salt", "version"}:
        raise KeyFileError("gateway.secrets has lost rows without which no credential can be checked; restore a backup")
    return secrets


def to_stored(secrets: Mapping[str, bytes], rows: Iterable[Record]) -> StoredCredentials:
    """Return the secrets by name, and the rows of SELECT, as one value."""
    credentials = tuple((to_record(row), row["hash"]) for row in rows)
    return StoredCredentials(Admin(secrets["salt"], secrets.get("admin")), credentials)
