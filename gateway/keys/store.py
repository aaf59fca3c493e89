"""The credentials' own SQLite file, open: adding, revoking, rotating, loading. A server follows it by `keywatch`.

Values are kept as hashes only. The file is apart from the log, so that `gateway keys` never waits for the writer.
"""

import json
import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from gateway import sqlite_file
from gateway.dialect import CredentialKind, Dialect
from gateway.keys import tables
from gateway.keys.credential import (
    CredentialRecord,
    KeyFileError,
    NewCredential,
    check_project,
    checked_origins,
    checked_scopes,
    masked,
    new_id,
    new_value,
    normalized,
)
from gateway.keys.keyring import Keyring, digest
from gateway.keys.tables import ADD, CREDENTIALS, SECRETS, Admin


class KeyFile:
    """The key file, open. Synchronous: each call is a matter of a few milliseconds."""

    def __init__(self, connection: sqlite3.Connection, salt: bytes) -> None:
        self._connection = connection
        self._salt = salt

    @classmethod
    def open(cls, path: Path, *, make: bool = False) -> Self:
        """Open the file, made where there is none and `make` says so. Raises KeyFileError."""
        try:
            if not path.exists():
                if not make:
                    raise KeyFileError(f"{path.parent} holds no credentials yet; `gateway keys add` makes the first")
                tables.make(path)
            return cls(*tables.connect(path))
        except (sqlite3.Error, OSError) as error:
            raise KeyFileError(f"cannot open {path}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def add(
        self,
        project: str,
        dialect: Dialect,
        kind: CredentialKind,
        *,
        now: int,
        value: str | None = None,
        scopes: Sequence[str] | None = None,
        origins: Sequence[str] | None = None,
    ) -> NewCredential:
        """Keep a credential, with a new random value where none is given.

        A new one without scopes gets all of its dialect, without origins it may be used from anywhere. A value that
        its project already has keeps its id; scopes and origins, where given, take the place of those it had. Raises
        KeyFileError on a value of another project, or one that was revoked or rotated.
        """
        check_project(project)
        named = None if scopes is None else checked_scopes(dialect, scopes)
        hosts = None if origins is None else checked_origins(origins)
        shown = new_value(kind) if value is None else value
        spelling = normalized(kind, shown)
        hashed = digest(self._salt, dialect.name, kind.name, spelling)
        with sqlite_file.transaction(self._connection):
            before = self._records("WHERE hash = ?", hashed)
            if before:
                return NewCredential(self._again(before[0], project, named, hosts), shown)
            named = tuple(dialect.scopes) if named is None else named
            record = CredentialRecord(
                new_id(), project, dialect.name, kind.name, masked(kind, spelling), named, hosts or (), created_at=now
            )
            self._connection.execute(ADD, tables.row(record, hashed))
        return NewCredential(record, shown)

    def list(self) -> tuple[CredentialRecord, ...]:
        """Return every credential, revoked ones included, in the order in which they were made."""
        return self._records()

    def get(self, key_id: str) -> CredentialRecord:
        """Return one credential. Raises KeyFileError where there is none of that id."""
        found = self._records("WHERE id = ?", key_id)
        if not found:
            raise KeyFileError(f"there is no credential {key_id!r}; `gateway keys list` shows them")
        return found[0]

    def revoke(self, key_id: str, *, now: int) -> CredentialRecord:
        """Close a credential for good; one that is closed already stays as it is."""
        with sqlite_file.transaction(self._connection):
            if self.get(key_id).revoked_at is None:
                self._connection.execute("UPDATE credentials SET revoked_at = ? WHERE id = ?", (now, key_id))
            return self.get(key_id)

    def rotate(self, key_id: str, kind: CredentialKind, *, now: int, grace: int = 0) -> NewCredential:
        """Make a successor with a new value; the old one works for `grace` more seconds."""
        shown = new_value(kind)
        spelling = normalized(kind, shown)
        with sqlite_file.transaction(self._connection):
            old = self.get(key_id)
            status = old.status(now)
            if status != "active":
                raise KeyFileError(f"{key_id} is {status}; only an active credential can be rotated")
            self._connection.execute("UPDATE credentials SET expires_at = ? WHERE id = ?", (now + grace * 1000, key_id))
            record = attrs.evolve(old, id=new_id(), masked=masked(kind, spelling), created_at=now)
            hashed = digest(self._salt, old.dialect, old.kind, spelling)
            self._connection.execute(ADD, tables.row(record, hashed))
        return NewCredential(record, shown)

    def load(self) -> Keyring:
        """Return the snapshot that requests are checked against."""
        return tables.keyring(self._salt, self._connection.execute(CREDENTIALS.format(where="")))

    def admin(self) -> Admin:
        """Return what the admin token is checked against."""
        return Admin(self._salt, dict(self._connection.execute(SECRETS)).get("admin"))

    def new_admin_token(self) -> str:
        """Return a new admin token; the one before it stops working."""
        token = "admin_" + secrets.token_hex(24)
        hashed = tables.admin_hash(self._salt, token)
        with sqlite_file.transaction(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO secrets VALUES ('admin', ?)", (hashed,))
        return token

    def _again(
        self, record: CredentialRecord, project: str, scopes: tuple[str, ...] | None, origins: tuple[str, ...] | None
    ) -> CredentialRecord:
        if record.project != project:
            raise KeyFileError(f"this {record.kind} opens project {record.project} already, as {record.id}")
        if record.revoked_at is not None or record.expires_at is not None:
            what = "rotated" if record.revoked_at is None else "revoked"
            raise KeyFileError(f"this {record.kind} was {what} ({record.id}) and stays so; use another value")
        record = attrs.evolve(
            record,
            scopes=record.scopes if scopes is None else scopes,
            origins=record.origins if origins is None else origins,
        )
        lists = (json.dumps(record.scopes), json.dumps(record.origins))
        self._connection.execute("UPDATE credentials SET scopes = ?, origins = ? WHERE id = ?", (*lists, record.id))
        return record

    def _records(self, where: str = "", *values: object) -> tuple[CredentialRecord, ...]:
        return tuple(tables.record(row) for row in self._connection.execute(CREDENTIALS.format(where=where), values))
