"""The credentials' own SQLite file, open: adding, revoking, rotating, loading. A server follows it by `keywatch`.

Values are kept as hashes only. The file is apart from the log, so that `gateway keys` never waits for the writer.
"""

import contextlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from gateway import keytables
from gateway.auth import Keyring, digest
from gateway.dialect import Dialect, Kind
from gateway.keytables import ADD, CREDENTIALS, SECRETS, Admin
from gateway.keyvalues import (
    KeyFileError,
    Made,
    Record,
    canonical,
    check_project,
    checked_origins,
    checked_scopes,
    hint,
    new_id,
    new_value,
)


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
                keytables.make(path)
            return cls(*keytables.connect(path))
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
        kind: Kind,
        *,
        now: int,
        value: str | None = None,
        scopes: Sequence[str] | None = None,
        origins: Sequence[str] | None = None,
    ) -> Made:
        """Keep a credential, with a new random value where none is given.

        A new one without scopes gets all of its dialect, without origins it may be used from anywhere. A value that
        its project already has keeps its id; scopes and origins, where given, take the place of those it had. Raises
        KeyFileError on a value of another project, or one that was revoked or rotated.
        """
        check_project(project)
        named = None if scopes is None else checked_scopes(dialect, scopes)
        hosts = None if origins is None else checked_origins(origins)
        shown = new_value(kind) if value is None else value
        spelling = canonical(kind, shown)
        hashed = digest(self._salt, dialect.name, kind.name, spelling)
        with self._transaction():
            before = self._records("WHERE hash = ?", hashed)
            if before:
                return Made(self._again(before[0], project, named, hosts), shown)
            named = tuple(dialect.scopes) if named is None else named
            record = Record(
                new_id(), project, dialect.name, kind.name, hint(kind, spelling), named, hosts or (), created_at=now
            )
            self._connection.execute(ADD, keytables.row(record, hashed))
        return Made(record, shown)

    def list(self) -> tuple[Record, ...]:
        """Return every credential, revoked ones included, in the order in which they were made."""
        return self._records()

    def get(self, key_id: str) -> Record:
        """Return one credential. Raises KeyFileError where there is none of that id."""
        found = self._records("WHERE id = ?", key_id)
        if not found:
            raise KeyFileError(f"there is no credential {key_id!r}; `gateway keys list` shows them")
        return found[0]

    def revoke(self, key_id: str, *, now: int) -> Record:
        """Close a credential for good; one that is closed already stays as it is."""
        with self._transaction():
            if self.get(key_id).revoked_at is None:
                self._connection.execute("UPDATE credentials SET revoked_at = ? WHERE id = ?", (now, key_id))
            return self.get(key_id)

    def rotate(self, key_id: str, kind: Kind, *, now: int, grace: int = 0) -> Made:
        """Make a successor with a new value; the old one works for `grace` more seconds."""
        shown = new_value(kind)
        spelling = canonical(kind, shown)
        with self._transaction():
            old = self.get(key_id)
            standing = old.standing(now)
            if standing != "active":
                raise KeyFileError(f"{key_id} is {standing}; only an active credential can be rotated")
            self._connection.execute("UPDATE credentials SET expires_at = ? WHERE id = ?", (now + grace * 1000, key_id))
            record = attrs.evolve(old, id=new_id(), hint=hint(kind, spelling), created_at=now)
            hashed = digest(self._salt, old.dialect, old.kind, spelling)
            self._connection.execute(ADD, keytables.row(record, hashed))
        return Made(record, shown)

    def load(self) -> Keyring:
        """Return the snapshot that requests are checked against."""
        return keytables.keyring(self._salt, self._connection.execute(CREDENTIALS.format(where="")))

    def admin(self) -> Admin:
        """Return what the admin token is checked against."""
        return Admin(self._salt, dict(self._connection.execute(SECRETS)).get("admin"))

    def new_admin_token(self) -> str:
        """Return a new admin token; the one before it stops working."""
        token = "admin_" + secrets.token_hex(24)
        hashed = keytables.admin_hash(self._salt, token)
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO secrets VALUES ('admin', ?)", (hashed,))
        return token

    def _again(
        self, record: Record, project: str, scopes: tuple[str, ...] | None, origins: tuple[str, ...] | None
    ) -> Record:
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

    def _records(self, where: str = "", *values: object) -> tuple[Record, ...]:
        return tuple(keytables.record(row) for row in self._connection.execute(CREDENTIALS.format(where=where), values))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
