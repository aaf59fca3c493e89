"""Operations on the credentials in the database, for all gateways. No decisions: gateway/keys/changes.py has them."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import asyncpg

from gateway.dialect import CredentialKind, Dialect
from gateway.keys.admin import Admin, admin_hash, new_token
from gateway.keys.changes import Addition, Change, HashedValue, KeyUpdate, revocation, rotation, unknown_id
from gateway.keys.credential import CredentialRecord, NewCredential, NoCredentials
from gateway.keys.expiry import Expiry
from gateway.keys.keyring import Keyring
from gateway.keys.snapshot import StoredCredentials
from gateway.keys.store import unseen
from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.keys import tables
from gateway.storage.postgres.keys.tables import to_record
from gateway.store_error import StoreError


class PostgresKeyStore:
    """The credentials of a database (KeyStore) over a session, which its caller closes.

    A change is one transaction, and the commands and gateways that make changes wait for each other. All methods raise
    StoreError if the database cannot be reached or does not take the change.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._change: Connection | None = None
        """The connection of the transaction that `exclusive` has open."""

    async def add(
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
        show: Callable[[NewCredential], None] = unseen,
    ) -> NewCredential:
        """Add a credential, as KeyStore says."""
        async with self.exclusive():
            salt = (await self._secrets())["salt"]
            addition = Addition.checked(salt, project, dialect, kind, value, scopes, origins, label, expires)
            existing = await self._records(tables.SELECT_HASH, addition.value.hash)
            change = addition.change(existing[0] if existing else None, now)
            await self._write(change)
            show(change.created)
        return change.created

    async def list(self) -> tuple[CredentialRecord, ...]:
        """Return every credential, revoked ones included, oldest first."""
        return await self._records(tables.SELECT)

    async def get(self, key_id: str) -> CredentialRecord:
        """Return one credential. Raises KeyFileError on an unknown id."""
        # A text that the database cannot even be asked for is no id either.
        found = await self._records(tables.SELECT_ID, key_id) if key_id.isprintable() else ()
        if not found:
            raise unknown_id(key_id)
        return found[0]

    async def update(self, key_id: str, update: KeyUpdate, *, now: int) -> CredentialRecord:
        """Change what a credential may do, as KeyStore says."""
        async with self.exclusive():
            change = update.change(await self.get(key_id), now)
            await self._write(change)
        return change.record

    async def revoke(self, key_id: str, *, now: int) -> CredentialRecord:
        """Revoke a credential for good, as KeyStore says."""
        async with self.exclusive():
            change = revocation(await self.get(key_id), now)
            await self._write(change)
        return change.record

    async def rotate(
        self,
        key_id: str,
        kind: CredentialKind,
        *,
        now: int,
        grace: int = 0,
        show: Callable[[NewCredential], None] = unseen,
    ) -> NewCredential:
        """Add a successor with a new value, as KeyStore says."""
        async with self.exclusive():
            old = await self.get(key_id)
            value = HashedValue.of((await self._secrets())["salt"], old.dialect, kind)
            change = rotation(old, value, now, grace)
            await self._write(change)
            show(change.created)
        return change.created

    async def load(self) -> Keyring:
        """Return the snapshot that requests are checked against."""
        return (await self.stored()).keyring()

    async def admin(self) -> Admin:
        """Return what the admin token is checked against."""
        secrets = await self._secrets()
        return Admin(secrets["salt"], secrets.get("admin"))

    async def new_admin_token(self, show: Callable[[str], None] = unseen) -> str:
        """Create and return a new admin token, as KeyStore says."""
        token = new_token()
        async with self.exclusive():
            await self._fetch(tables.PUT_VALUE, "admin", admin_hash((await self._secrets())["salt"], token))
            show(token)
        return token

    async def stored(self) -> StoredCredentials:
        """Return everything as it is stored, as KeyStore says."""
        async with self._reading():
            return tables.to_stored(await self._secrets(), await self._fetch(tables.SELECT))

    async def replace(self, stored: StoredCredentials) -> None:
        """Put what another store had in the place of all that is here, as KeyStore says."""
        async with self.exclusive():
            (await self.stored()).check_replaceable(stored, self._session.address.name)
            await self._fetch(tables.DELETE_CREDENTIALS)
            await self._fetch(tables.DELETE_ADMIN)
            await self._fetch(tables.PUT_VALUE, "salt", stored.admin.salt)
            if stored.admin.hash is not None:
                await self._fetch(tables.PUT_VALUE, "admin", stored.admin.hash)
            assert self._change is not None, "opened by exclusive"
            with self._in_one_line():
                rows = [tables.to_row(*each) for each in stored.credentials]
                await self._change.executemany(tables.INSERT, rows)

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Make what the block does one transaction, for which every other change waits."""
        if self._change is not None:  # a block around this one, which commits
            yield
            return
        async with self._transaction(readonly=False):
            await self._fetch(tables.BEGIN_CHANGE)
            yield
            await self._fetch(tables.END_CHANGE)

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        if self._change is not None:
            yield
            return
        async with self._transaction(readonly=True):
            yield

    @contextlib.asynccontextmanager
    async def _transaction(self, *, readonly: bool) -> AsyncIterator[None]:
        """Run the block in a transaction. What the block itself raises passes as it is: `show` may raise anything."""
        raised: BaseException | None = None
        with self._in_one_line(lambda: raised):
            async with self._session.transaction(readonly=readonly) as self._change:
                try:
                    yield
                except BaseException as error:
                    raised = error
                    raise
                finally:
                    self._change = None

    @contextlib.contextmanager
    def _in_one_line(self, passed: Callable[[], BaseException | None] = lambda: None) -> Iterator[None]:
        """Raise what the database does not take as StoreError, but for the exception that is to pass."""
        try:
            yield
        except EXPECTED as error:
            if error is passed():
                raise
            if isinstance(error, asyncpg.UndefinedTableError | asyncpg.InvalidSchemaNameError):
                raise self._nothing_yet() from None
            raise StoreError(f"cannot use the credentials in {self._session.address.name}: {reason(error)}") from error

    def _nothing_yet(self) -> NoCredentials:
        name = self._session.address.name
        return NoCredentials(f"{name} holds no credentials yet; `gateway keys add` creates the first")

    async def _write(self, change: Change) -> None:
        if (record := change.updated) is not None:
            lists = (record.scopes, record.origins)
            rest = (record.revoked_at, record.expires_at, record.label, record.rotated)
            await self._fetch(tables.UPDATE, record.id, *lists, *rest)
        if change.added is not None and change.value is not None:
            await self._fetch(tables.INSERT, *tables.to_row(change.added, change.value.hash))

    async def _secrets(self) -> dict[str, bytes]:
        return tables.to_secrets(await self._fetch(tables.SELECT_SECRETS))

    async def _records(self, select: str, *values: object) -> tuple[CredentialRecord, ...]:
        return tuple(map(to_record, await self._fetch(select, *values)))

    async def _fetch(self, statement: str, *values: object) -> Sequence[Any]:
        """Run a statement, in a transaction of its own if none is open, and return its rows."""
        async with self._reading():
            assert self._change is not None, "opened by _reading"
            with self._in_one_line():
                rows: Sequence[Any] = await self._change.fetch(statement, *values)
        return rows
