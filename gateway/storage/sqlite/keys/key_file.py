"""Operations on the credentials in keys.db, as KeyStore has them, and on the admin token. No SQL schema here.

Values are stored as hashes only. A running server notices changes of the file by watch.py. A file of an older gateway
is read as it is, and upgraded with its first change.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.dialect import CredentialKind, Dialect
from gateway.keys.admin import Admin, admin_hash, new_token
from gateway.keys.changes import Addition, Change, HashedValue, KeyUpdate, revocation, rotation, unknown_id
from gateway.keys.credential import CredentialRecord, KeyFileError, NewCredential, NoCredentials
from gateway.keys.expiry import Expiry
from gateway.keys.keyring import Keyring
from gateway.keys.snapshot import StoredCredentials
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.keys import tables
from gateway.storage.sqlite.keys.tables import INSERT, SELECT_SECRETS, UPDATE


class KeyFile:
    """An open key file, and a context manager that closes it. Synchronous: each call takes a few milliseconds."""

    def __init__(self, path: Path, connection: sqlite3.Connection, salt: bytes) -> None:
        self._path = path
        self._connection = connection
        self._salt = salt

    @classmethod
    def open(cls, path: Path, *, make: bool = False) -> Self:
        """Open the file; with `make`, create it if it is missing. Raises KeyFileError."""
        try:
            if not path.exists():
                if not make:
                    raise NoCredentials(f"{path.parent} holds no credentials yet; `gateway keys add` creates the first")
                tables.create(path)
            return cls(path, *tables.connect(path))
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

    def upgrade(self) -> None:
        """Upgrade the file of an older gateway. Raises KeyFileError."""
        try:
            if sqlite_file.version(self._connection, self._path, tables.VERSION) < tables.VERSION:
                with self.exclusive():
                    pass
        except sqlite3.Error as error:
            raise KeyFileError(f"cannot upgrade {self._path}: {error}") from error

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
        label: str | None = None,
        expires: Expiry | None = None,
        show: Callable[[NewCredential], None] = lambda _: None,
    ) -> NewCredential:
        """Add a credential, as KeyStore says. Raises KeyFileError."""
        addition = Addition.checked(self._salt, project, dialect, kind, value, scopes, origins, label, expires)
        with self.exclusive():
            existing = self._records("WHERE hash = ?", addition.value.hash)
            change = addition.change(existing[0] if existing else None, now)
            self._write(change)
            show(change.created)
        return change.created

    def list(self) -> tuple[CredentialRecord, ...]:
        """Return every credential, revoked ones included, oldest first."""
        return self._records()

    def get(self, key_id: str) -> CredentialRecord:
        """Return one credential. Raises KeyFileError on an unknown id."""
        found = self._records("WHERE id = ?", key_id)
        if not found:
            raise unknown_id(key_id)
        return found[0]

    def update(self, key_id: str, update: KeyUpdate, *, now: int) -> CredentialRecord:
        """Change what a credential may do, as KeyStore says. Raises KeyFileError."""
        with self.exclusive():
            change = update.change(self.get(key_id), now)
            self._write(change)
        return change.record

    def revoke(self, key_id: str, *, now: int) -> CredentialRecord:
        """Revoke a credential for good, and return it. Revoking it again changes nothing. Raises KeyFileError."""
        with self.exclusive():
            change = revocation(self.get(key_id), now)
            self._write(change)
        return change.record

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
        with self.exclusive():
            old = self.get(key_id)
            change = rotation(old, HashedValue.of(self._salt, old.dialect, kind), now, grace)
            self._write(change)
            show(change.created)
        return change.created

    def load(self) -> Keyring:
        """Return the snapshot that requests are checked against."""
        return self.stored().keyring()

    def admin(self) -> Admin:
        """Return what the admin token is checked against."""
        return Admin(self._salt, dict(self._connection.execute(SELECT_SECRETS)).get("admin"))

    def stored(self) -> StoredCredentials:
        """Return everything as it is stored, to be moved to another store."""
        secrets = self._connection.execute(SELECT_SECRETS).fetchall()
        return tables.to_stored(secrets, self._select())

    def replace(self, stored: StoredCredentials, name: str) -> None:
        """Put what another store had in the place of all that is here, as KeyStore says. `name` is that of this store.

        Raises KeyFileError.
        """
        secrets = {"salt": stored.admin.salt, "admin": stored.admin.hash}
        with self.exclusive():
            self.stored().check_replaceable(stored, name)
            for table in ("credentials", "secrets"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 (two names)
            present = [(secret, value) for secret, value in secrets.items() if value is not None]
            self._connection.executemany("INSERT INTO secrets VALUES (?, ?)", present)
            self._connection.executemany(INSERT, [tables.to_row(*each) for each in stored.credentials])
        self._salt = stored.admin.salt

    def new_admin_token(self, show: Callable[[str], None] = lambda _: None) -> str:
        """Create and return a new admin token; the previous one stops working. For `show` see `add`."""
        token = new_token()
        hashed = admin_hash(self._salt, token)
        with self.exclusive():
            self._connection.execute("INSERT OR REPLACE INTO secrets VALUES ('admin', ?)", (hashed,))
            show(token)
        return token

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Make what the block does one change: nobody else changes anything before its end, an exception undoes it."""
        if self._connection.in_transaction:  # a block around this one, which commits
            yield
            return
        with sqlite_file.transaction(self._connection):
            tables.upgrade(self._connection, self._path)
            yield

    def _write(self, change: Change) -> None:
        if (record := change.updated) is not None:
            lists = (json.dumps(record.scopes), json.dumps(record.origins))
            rest = (record.revoked_at, record.expires_at, record.label, record.rotated, record.id)
            self._connection.execute(UPDATE, (*lists, *rest))
        if change.added is not None and change.value is not None:
            self._connection.execute(INSERT, tables.to_row(change.added, change.value.hash))

    def _records(self, where: str = "", *values: object) -> tuple[CredentialRecord, ...]:
        return tuple(map(tables.to_record, self._select(where, *values)))

    def _select(self, where: str = "", *values: object) -> sqlite3.Cursor:
        version = sqlite_file.version(self._connection, self._path, tables.VERSION)
        return self._connection.execute(tables.select(version, where), values)
