"""The tables of keys.db: making the file, its version, and its rows as values. No operation on credentials here."""

import contextlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from gateway.auth import Grant, Keyring, digest
from gateway.keyvalues import KeyFileError, Record
from gateway.storage.datadir import appearing

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
DatabaseError = sqlite3.Error  # for those who tell it in one line and have no business with sqlite3
BUSY = 10.0  # seconds to wait for another command


@attrs.frozen
class Admin:
    """What the admin token is checked against; without a hash none was made yet."""

    salt: bytes = attrs.field(repr=False)
    hash: bytes | None = attrs.field(repr=False)

    def verify(self, token: str) -> bool:
        """Return whether this is the token, in a time that tells nothing."""
        return self.hash is not None and hmac.compare_digest(admin_hash(self.salt, token), self.hash)


def admin_hash(salt: bytes, token: str) -> bytes:
    """Return the hash under which the admin token is kept."""
    return digest(salt, "", "admin", token)


def make(path: Path) -> None:
    """Make the file, readable by this user alone. It appears whole, so that two first commands cannot meet in it."""
    with appearing(path) as part, contextlib.closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(TABLES)
        connection.execute("INSERT INTO secrets VALUES ('salt', ?)", (secrets.token_bytes(32),))


def address(path: Path) -> str:
    """Return the file as SQLite's URI that opens what is there and makes nothing."""
    return f"{path.absolute().as_uri()}?mode=rw"


def connect(path: Path) -> tuple[sqlite3.Connection, bytes]:
    """Return a connection to the file, without transactions of its own, and its salt. Raises KeyFileError."""
    connection = sqlite3.connect(address(path), uri=True, timeout=BUSY, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            raise KeyFileError(
                f"{path} was written by a newer gateway (schema {found}, this one knows {VERSION}); upgrade this one"
            )
        if found == 0:
            raise KeyFileError(f"{path} is not a gateway's key file")
        return connection, dict(connection.execute(SECRETS))["salt"]
    except BaseException:
        connection.close()
        raise


def record(row: Iterable[Any]) -> Record:
    """Return a row of CREDENTIALS as a record."""
    key_id, project, dialect, kind, hint, scopes, origins, *times, _hash = row
    return Record(key_id, project, dialect, kind, hint, tuple(json.loads(scopes)), tuple(json.loads(origins)), *times)


def row(record: Record, hashed: bytes) -> tuple[object, ...]:
    """Return a record as a row for ADD."""
    fields = attrs.asdict(record, recurse=False)
    packed = {"scopes": json.dumps(record.scopes), "origins": json.dumps(record.origins)}
    return (*{**fields, **packed}.values(), hashed)


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
