"""Operations on the credentials in keys.db: add, list, revoke, rotate, load; and the admin token. No SQL schema here.

Values are stored as hashes only. A running server notices changes of the file by watch.py.
"""

import json
import secrets
import sqlite3
from collections.abc import Callable, Sequence
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
from gateway.keys.tables import INSERT, SELECT, SELECT_SECRETS, Admin


class KeyFile:
    """An open key file, and a context manager that closes it. Synchronous: each call takes a few milliseconds."""

    def __init__(self, connection: sqlite3.Connection, salt: bytes) -> None:
        self._connection = connection
        self._salt = salt

    @classmethod
    def open(cls, path: Path, *, make: bool = False) -> Self:
        """Open the file; with `make`, create it if it is missing. Raises KeyFileError."""
        try:
            if not path.exists():
                if not make:
                    raise KeyFileError(f"{path.parent} holds no credentials yet; `gateway keys add` creates the first")
                tables.create(path)
            return cls(*tables.connect(path))
        except (sqlite3.Error, OSError) as error:
            why = getattr(error, "strerror", None) or error
            raise KeyFileError(f"cannot open {path}: {why}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
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
        show: Callable[[NewCredential], None] = lambda _: None,
    ) -> NewCredential:
        """Add a credential, with a new random value if none is given; `now` is in milliseconds since the epoch.

        A new credential without `scopes` gets all scopes of its dialect; without `origins` it works from everywhere. A
        value that the project already has keeps its id, and the given scopes and origins replace the old ones. `show`
        is called before the change is made; if it raises, nothing changes: a value that nobody saw is of no use. Raises
        KeyFileError on a value that belongs to another project, or that was revoked or rotated.
        """
        check_project(project)
        named = None if scopes is None else checked_scopes(dialect, scopes)
        hosts = None if origins is None else checked_origins(origins)
        shown = new_value(kind) if value is None else value
        spelling = normalized(kind, shown)
        hashed = digest(self._salt, dialect.name, kind.name, spelling)
        with sqlite_file.transaction(self._connection):
            existing = self._records("WHERE hash = ?", hashed)
            if existing:
                created = NewCredential(self._update(existing[0], project, named, hosts), shown)
                show(created)
                return created
            record = CredentialRecord(
                id=new_id(),
                project=project,
                dialect=dialect.name,
                kind=kind.name,
                masked=masked(kind, spelling),
                scopes=tuple(dialect.scopes) if named is None else named,
                origins=hosts or (),
                created_at=now,
            )
            self._connection.execute(INSERT, tables.to_row(record, hashed))
            created = NewCredential(record, shown)
            show(created)
        return created

    def list(self) -> tuple[CredentialRecord, ...]:
        """Return every credential, revoked ones included, oldest first."""
        return self._records()

    def get(self, key_id: str) -> CredentialRecord:
        """Return one credential. Raises KeyFileError on an unknown id."""
        found = self._records("WHERE id = ?", key_id)
        if not found:
            raise KeyFileError(f"there is no credential {key_id!r}; `gateway keys list` shows them")
        return found[0]

    def revoke(self, key_id: str, *, now: int) -> CredentialRecord:
        """Revoke a credential for good, and return it. Revoking it again changes nothing. Raises KeyFileError."""
        with sqlite_file.transaction(self._connection):
            if self.get(key_id).revoked_at is None:
                self._connection.execute("UPDATE credentials SET revoked_at = ? WHERE id = ?", (now, key_id))
            return self.get(key_id)

    def rotate(
        self,
        key_id: str,
        kind: CredentialKind,
        *,
        now: int,
        grace: int = 0,
        show: Callable[[NewCredential], None] = lambda _: None,
    ) -> NewCredential:
        """Add a successor with a new value; the old value works for `grace` more seconds.

        `now` is in milliseconds; for `show` see `add`. Raises KeyFileError unless the credential is active.
        """
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
            self._connection.execute(INSERT, tables.to_row(record, hashed))
            created = NewCredential(record, shown)
            show(created)
        return created

    def load(self) -> Keyring:
        """Return the snapshot that requests are checked against."""
        return tables.to_keyring(self._salt, self._connection.execute(SELECT.format(where="")))

    def admin(self) -> Admin:
        """Return what the admin token is checked against."""
        return Admin(self._salt, dict(self._connection.execute(SELECT_SECRETS)).get("admin"))

    def new_admin_token(self, show: Callable[[str], None] = lambda _: None) -> str:
        """Create and return a new admin token; the previous one stops working. For `show` see `add`."""
        token = "admin_" + secrets.token_hex(24)
        hashed = tables.admin_hash(self._salt, token)
        with sqlite_file.transaction(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO secrets VALUES ('admin', ?)", (hashed,))
            show(token)
        return token

    def _update(
        self, record: CredentialRecord, project: str, scopes: tuple[str, ...] | None, origins: tuple[str, ...] | None
    ) -> CredentialRecord:
        if record.project != project:
            raise KeyFileError(f"this {record.kind} already belongs to project {record.project}, as {record.id}")
        if record.revoked_at is not None or record.expires_at is not None:
            ended = "rotated" if record.revoked_at is None else "revoked"
            raise KeyFileError(
                f"this {record.kind} was {ended} ({record.id}) and cannot be added again; use another value"
            )
        record = attrs.evolve(
            record,
            scopes=record.scopes if scopes is None else scopes,
            origins=record.origins if origins is None else origins,
        )
        lists = (json.dumps(record.scopes), json.dumps(record.origins))
        self._connection.execute("UPDATE credentials SET scopes = ?, origins = ? WHERE id = ?", (*lists, record.id))
        return record

    def _records(self, where: str = "", *values: object) -> tuple[CredentialRecord, ...]:
        return tuple(map(tables.to_record, self._connection.execute(SELECT.format(where=where), values)))
