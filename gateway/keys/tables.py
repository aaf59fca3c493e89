"""The tables of keys.db: making the file, opening it, and its rows as values. No operation on credentials here."""

import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from gateway import sqlite_file
from gateway.datadir import DataDirError
from gateway.keys.credential import CredentialRecord, KeyFileError
from gateway.keys.keyring import Grant, Keyring, digest

VERSION = 1
TABLES = f"""
CREATE TABLE credentials (id TEXT PRIMARY KEY, project TEXT NOT NULL, dialect TEXT NOT NULL, kind TEXT NOT NULL,
    hint TEXT, scopes TEXT NOT NULL, origins TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER,
    expires_at INTEGER, hash BLOB NOT NULL UNIQUE);
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
CREDENTIALS = (
    "SELECT id, project, dialect, kind, hint, scopes, origins, created_at, revoked_at, expires_at, hash "
    "FROM credentials {where} ORDER BY rowid"
)
ADD = "INSERT INTO credentials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SECRETS = "SELECT name, value FROM secrets"
BUSY_SECONDS = 10.0  # how long to wait for another command


@attrs.frozen
class Admin:
    """What the admin token is checked against; without a hash none was made yet."""

    salt: bytes = attrs.field(repr=False)
    hash: bytes | None = attrs.field(repr=False)

    def verify(self, token: str) -> bool:
        """Return whether this is the token; compares in constant time."""
        return self.hash is not None and hmac.compare_digest(admin_hash(self.salt, token), self.hash)


def admin_hash(salt: bytes, token: str) -> bytes:
    """Return the hash under which the admin token is kept."""
    return digest(salt, "", "admin", token)


def make(path: Path) -> None:
    """Make the file, readable by this user alone, with a new salt. Raises OSError and sqlite3.Error."""
    salt = f"INSERT INTO secrets VALUES ('salt', X'{secrets.token_hex(32)}');"  # noqa: S608 (hex digits of ours)
    sqlite_file.make(path, TABLES + salt)


def connect(path: Path) -> tuple[sqlite3.Connection, bytes]:
    """Return a connection to the file, without transactions of its own, and its salt. Raises KeyFileError."""
    connection = sqlite_file.connect(path, "rw", timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        if sqlite_file.version(connection, path, VERSION) == 0:
            raise KeyFileError(f"{path} is not a gateway's key file")
        return connection, dict(connection.execute(SECRETS))["salt"]
    except DataDirError as error:
        connection.close()
        raise KeyFileError(str(error)) from None
    except BaseException:
        connection.close()
        raise


def record(row: Iterable[Any]) -> CredentialRecord:
    """Return a row of CREDENTIALS as a record."""
    key_id, project, dialect, kind, masked, scopes, origins, created_at, revoked_at, expires_at, _hash = row
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
    )


def row(record: CredentialRecord, hashed: bytes) -> tuple[object, ...]:
    """Return a record as the values of ADD."""
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
    )


def keyring(salt: bytes, rows: Iterable[Iterable[Any]]) -> Keyring:
    """Return rows of CREDENTIALS as the snapshot that requests are checked against."""
    grants: dict[bytes, Grant] = {}
    for each in rows:
        *_, hashed = each = tuple(each)
        found = record(each)
        grants[hashed] = Grant(
            id=found.id,
            project=found.project,
            dialect=found.dialect,
            kind=found.kind,
            scopes=frozenset(found.scopes),
            origins=found.origins,
            revoked=found.revoked_at is not None,
            expires_at=found.expires_at,
        )
    return Keyring(salt, grants)
