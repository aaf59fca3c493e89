"""SQLite's KeyStore: a KeyFile on a thread of its own. What is changed is in key_file.py."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.dialect import CredentialKind, Dialect
from gateway.keys.admin import Admin
from gateway.keys.changes import KeyUpdate
from gateway.keys.credential import CredentialRecord, KeyFileError, NewCredential
from gateway.keys.expiry import Expiry
from gateway.keys.keyring import Keyring
from gateway.keys.snapshot import StoredCredentials
from gateway.keys.store import unseen
from gateway.storage.sqlite.keys.key_file import KeyFile

Result = TypeVar("Result")


class SqliteKeyStore:
    """The credentials of a data directory. See KeyStore. `show` is called on the store's own thread."""

    def __init__(self, path: Path, file: KeyFile, thread: ThreadPoolExecutor) -> None:
        self._path = path
        self._file = file
        self._thread = thread

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, path: Path, *, make: bool = False) -> "AsyncIterator[SqliteKeyStore]":
        """Open the key file; with `make`, create it if it is missing. Raises KeyFileError."""
        # One thread for all calls: a connection belongs to the thread that opened it.
        with ThreadPoolExecutor(1, "keys") as thread:
            loop = asyncio.get_running_loop()
            file = await loop.run_in_executor(thread, partial(KeyFile.open, path, make=make))
            try:
                yield cls(path, file, thread)
            finally:
                thread.submit(file.close)

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
        """See KeyStore."""
        return await self._run(
            lambda: self._file.add(
                project,
                dialect,
                kind,
                now=now,
                value=value,
                scopes=scopes,
                origins=origins,
                label=label,
                expires=expires,
                show=show,
            )
        )

    async def list(self) -> tuple[CredentialRecord, ...]:
        """See KeyStore."""
        return await self._run(self._file.list)

    async def get(self, key_id: str) -> CredentialRecord:
        """See KeyStore."""
        return await self._run(partial(self._file.get, key_id))

    async def update(self, key_id: str, update: KeyUpdate, *, now: int) -> CredentialRecord:
        """See KeyStore."""
        return await self._run(partial(self._file.update, key_id, update, now=now))

    async def revoke(self, key_id: str, *, now: int) -> CredentialRecord:
        """See KeyStore."""
        return await self._run(partial(self._file.revoke, key_id, now=now))

    async def rotate(
        self,
        key_id: str,
        kind: CredentialKind,
        *,
        now: int,
        grace: int = 0,
        show: Callable[[NewCredential], None] = unseen,
    ) -> NewCredential:
        """See KeyStore."""
        return await self._run(partial(self._file.rotate, key_id, kind, now=now, grace=grace, show=show))

    async def load(self) -> Keyring:
        """See KeyStore."""
        return await self._run(self._file.load)

    async def admin(self) -> Admin:
        """See KeyStore."""
        return await self._run(self._file.admin)

    async def new_admin_token(self, show: Callable[[str], None] = unseen) -> str:
        """See KeyStore."""
        return await self._run(partial(self._file.new_admin_token, show))

    async def stored(self) -> StoredCredentials:
        """See KeyStore."""
        return await self._run(self._file.stored)

    async def replace(self, stored: StoredCredentials) -> None:
        """See KeyStore."""
        await self._run(partial(self._file.replace, stored, str(self._path.parent)))

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """See KeyStore."""
        block = self._file.exclusive()
        await self._run(block.__enter__)
        try:
            yield
        except BaseException as error:
            await self._run(partial(block.__exit__, type(error), error, error.__traceback__))
            raise
        await self._run(partial(block.__exit__, None, None, None))

    async def _run(self, call: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except sqlite3.Error as error:
            raise KeyFileError(f"cannot use {self._path}: {error}") from error
