"""The tables of keys.db: creating the file, opening it, and its rows as values. The operations are in key_file.py."""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.datadir import DataDirError
from gateway.keys.admin import Admin
from gateway.keys.credential import CredentialRecord, KeyFileError
from gateway.keys.snapshot import StoredCredentials
from gateway.storage.sqlite.connection import sqlite_file

VERSION = 3
# The backups that were made; `made_at` is in milliseconds since the epoch. `events` is null until one is whole.
BACKUPS = "CREATE TABLE backups (name TEXT, made_at INTEGER, events INTEGER, PRIMARY KEY (name, made_at)) WITHOUT ROWID"
TABLES = f"""
CREATE TABLE credentials (id TEXT PRIMARY KEY, project TEXT NOT NULL, dialect TEXT NOT NULL, kind TEXT NOT NULL,
    hint TEXT, scopes TEXT NOT NULL, origins TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER,
    expires_at INTEGER, hash BLOB NOT NULL UNIQUE, label TEXT NOT NULL DEFAULT '', rotated INTEGER NOT NULL DEFAULT 0);
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
{BACKUPS};
"""
UPGRADES: Mapping[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE credentials ADD COLUMN label TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE credentials ADD COLUMN rotated INTEGER NOT NULL DEFAULT 0",
        # Until then only a rotation gave a credential an end.
        "UPDATE credentials SET rotated = expires_at IS NOT NULL",
    ),
    3: (BACKUPS,),
}
"""What leads to each version from the one before. Never changed once released."""
COLUMNS = "id, project, dialect, kind, hint, scopes, origins, created_at, revoked_at, expires_at, hash, label, rotated"
SINCE_VERSION_2 = "label, rotated"
IN_VERSION_1 = "'', expires_at IS NOT NULL"
HASH_AT = COLUMNS.split(", ").index("hash")
INSERT = f"INSERT INTO credentials ({COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS.split(', ')))})"  # noqa: S608
UPDATE = (
    "UPDATE credentials SET scopes = ?, origins = ?, revoked_at = ?, expires_at = ?, label = ?, rotated = ? "
    "WHERE id = ?"
)
SELECT_SECRETS = "SELECT name, value FROM secrets"
BUSY_SECONDS = 10.0
"""How long to wait for another command's lock."""


def create(path: Path) -> None:
    """Create the file, readable by this user only, with a new random salt. Raises OSError and sqlite3.Error."""
    salt = f"INSERT INTO secrets VALUES ('salt', X'{secrets.token_hex(32)}');"  # noqa: S608 (random hex digits)
    sqlite_file.create(path, TABLES + salt, VERSION)


def select(version: int, where: str = "") -> str:
    """Return the statement that reads the rows of a file, whose version may be an older one, oldest first."""
    columns = COLUMNS if version >= 2 else COLUMNS.replace(SINCE_VERSION_2, IN_VERSION_1)
    return f"SELECT {columns} FROM credentials {where} ORDER BY rowid"  # noqa: S608 (our own words)


def upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Upgrade the file of an older gateway, inside the open transaction. Raises DataDirError and sqlite3.Error."""
    for version in range(sqlite_file.version(connection, path, VERSION) + 1, VERSION + 1):
        for statement in UPGRADES[version]:
            connection.execute(statement)
        sqlite_file.set_version(connection, version)


def connect(path: Path) -> tuple[sqlite3.Connection, bytes]:
    """Return a connection that begins no transactions by itself, and the file's salt. An older file stays as it is.

    Raises KeyFileError and sqlite3.Error.
    """
    try:
        connection, version = sqlite_file.connect_checked(path, "rw", VERSION, timeout=BUSY_SECONDS)
    except DataDirError as error:
        raise KeyFileError(str(error)) from None
    try:
        if version == 0:
            raise KeyFileError(f"{path} is not a gateway key file")
        connection.execute("PRAGMA synchronous = FULL")
        return connection, dict(connection.execute(SELECT_SECRETS))["salt"]
    except BaseException:
        connection.close()
        raise


def to_record(row: Iterable[Any]) -> CredentialRecord:
    """Return a row of `select` as a record."""
    key_id, project, dialect, kind, masked, scopes, origins, created_at, revoked_at, expires_at, _, label, rotated = row
    return CredentialRecord(
        id=key_id,
        project=project,
        dialect=dialect,
        kind=kind,
        masked=masked,
        scopes=tuple(json.loads(scopes)),
        origins=tuple(json.loads(origins)),
        created_at=created_at,
        revoked_at=revoked_at,
        expires_at=expires_at,
        label=label,
        rotated=bool(rotated),
    )


def to_row(record: CredentialRecord, hashed: bytes) -> tuple[object, ...]:
    """Return a record, and the hash of its value, as the values of INSERT."""
    return (
        record.id,
        record.project,
        record.dialect,
        record.kind,
        record.masked,
        json.dumps(record.scopes),
        json.dumps(record.origins),
        record.created_at,
        record.revoked_at,
        record.expires_at,
        hashed,
        record.label,
        record.rotated,
    )


def to_stored(secrets: Iterable[tuple[str, bytes]], rows: Iterable[Iterable[Any]]) -> StoredCredentials:
    """Return rows of SELECT_SECRETS and of `select` as one value."""
    named = dict(secrets)
    credentials = tuple((to_record(row), row[HASH_AT]) for row in map(tuple, rows))
    return StoredCredentials(Admin(named["salt"], named.get("admin")), credentials)
