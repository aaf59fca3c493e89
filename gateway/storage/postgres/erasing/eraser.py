"""Erases a person from a database: the erasure is committed first, then all that the person sent goes, then VACUUM.

The gateways go on meanwhile. Each of their transactions that begins after the erasure was committed knows of it (see
write/erasures.py), so those that were open then are waited for, and what they wrote is found like all else.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator

from gateway.records.person import Person
from gateway.storage.erasing.eraser import ErasureReport, PayloadOf
from gateway.storage.erasing.hashes import person_hash
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Session, one
from gateway.storage.postgres.erasing.events import erase_events
from gateway.storage.postgres.erasing.files import NEXT, erase_files
from gateway.storage.postgres.erasing.found import Found
from gateway.storage.postgres.erasing.kept import erase_kept_requests
from gateway.storage.postgres.erasing.quarantine import erase_quarantined
from gateway.storage.postgres.erasing.receipts import erase_in_claims, erase_in_receipts
from gateway.storage.postgres.erasing.rejected import erase_rejected
from gateway.storage.postgres.erasing.vacuum import vacuum
from gateway.storage.postgres.erasing.waiting import wait_for_open
from gateway.storage.postgres.gateways import UNGUARDED
from gateway.storage.postgres.read.log import BY_INDEX
from gateway.storage.postgres.tables import GUARDED_FROM, check
from gateway.store_error import StoreError

SECONDS = 30.0
"""How long a transaction may take; nearly all take a fraction of a second."""
OPEN_SECONDS = 20.0
"""How long to wait for transactions that began before the erasure: those of gateways take half of it at most."""
WRITTEN_SECONDS = 2.0
"""After how long a rejected request is surely in its table: gateways write them once a second."""
SERVED = (
    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name IN ('gateway watch', 'gateway rejected'))"
)
"""Each server watches the keys; there may be something between it and the database that hides its name."""
SECRET_BYTES = 32
COMMIT = (
    "UPDATE gateway.state SET erasures = erasures + 1, erasure_secret = coalesce(erasure_secret, $1) "
    "RETURNING erasure_secret"
)
ADD = (
    "INSERT INTO gateway.erasures AS known (project, kind, hash, at) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (project, kind, hash) DO UPDATE SET at = greatest(known.at, excluded.at)"
)
# Gateways that know of no erasures may not start any more.
ONLY_GUARDED = f"UPDATE gateway.meta SET compatible_from = greatest(compatible_from, {GUARDED_FROM})"
ALWAYS_LEFT = (
    "PostgreSQL's write-ahead log, its archive, its replicas and the backups made by its own tools are not changed; "
    "pages of its files may keep bytes of removed rows until they are written again (docs/operate/erase.md)"
)


class PostgresEraser:
    """See Eraser. It needs four connections, and no lock that a gateway waits for."""

    def __init__(self, address: Address) -> None:
        self._name = address.name
        self._session = Session(address, "gateway erase", seconds=SECONDS, settings=BY_INDEX)
        self._other = Session(address, "gateway erase beside", seconds=SECONDS, settings=BY_INDEX)
        self._writing = Session(address, "gateway erase writing", seconds=SECONDS)
        self._vacuum = Session(address, "gateway erase vacuum")

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, address: Address) -> AsyncIterator["PostgresEraser"]:
        """Connect. Raises StoreError."""
        eraser = cls(address)
        try:
            async with eraser._in_one_line(), eraser._session.transaction(readonly=True) as db:
                await check(db, address.name)
            yield eraser
        finally:
            for session in (eraser._session, eraser._other, eraser._writing, eraser._vacuum):
                await session.close()

    async def erase(self, person: Person, *, at: int, payload_of: PayloadOf, dry_run: bool = False) -> ErasureReport:
        """See Eraser."""
        began = time.monotonic()
        async with self._in_one_line():
            found = Found(person, await self._secret() if dry_run else await self._commit(person, at), dry_run)
            if not dry_run:
                await self._wait(found)
            async with self._session.transaction(readonly=True) as db:
                below = await db.fetchval(NEXT)
            await erase_events(self._session, self._writing, found, below)
            await erase_kept_requests(self._session, found)
            await erase_quarantined(self._session, found, payload_of)
            await erase_in_receipts(self._session, found)
            await erase_in_claims(self._session, found)
            if not dry_run and await self._is_served():
                await asyncio.sleep(began + WRITTEN_SECONDS - time.monotonic())
            await erase_rejected(self._session, found)
            if not dry_run:
                await erase_files(self._session, self._other, found)
                await vacuum(self._vacuum, found)
                found.left.append(ALWAYS_LEFT)
            return found.report()

    async def _secret(self) -> bytes | None:
        async with self._session.transaction(readonly=True) as db:
            secret: bytes | None = await db.fetchval("SELECT erasure_secret FROM gateway.state")
        return secret

    async def _commit(self, person: Person, at: int) -> bytes:
        """Commit the erasure: from now on no gateway stores what the person did before. Return the secret of hashes."""
        async with self._session.transaction() as db:
            older = await db.fetchrow(UNGUARDED)
            if older is not None:
                raise StoreError(
                    f"a gateway of an older version ({older['version']}, on {older['host']}) runs on {self._name}, and "
                    "would store again what is erased; upgrade it first"
                )
            [secret] = await one(db, COMMIT, secrets.token_bytes(SECRET_BYTES))
            hashed = person_hash(secret, person.project, person.kind, person.id)
            await db.execute(ADD, person.project, person.kind, hashed, at)
            await db.execute(ONLY_GUARDED)
        return bytes(secret)

    async def _is_served(self) -> bool:
        """Return whether a server may have rejected requests that it has not written yet."""
        async with self._session.transaction(readonly=True) as db:
            return self._session.is_pooled or bool(await db.fetchval(SERVED))

    async def _wait(self, found: Found) -> None:
        waiting = await wait_for_open(self._session, OPEN_SECONDS)
        if waiting:
            found.left.append(
                f"{waiting[0]} has had a transaction open since before the erasure; if it is a gateway's, run the "
                "command again when it has ended"
            )

    @contextlib.asynccontextmanager
    async def _in_one_line(self) -> AsyncIterator[None]:
        try:
            yield
        except EXPECTED as error:
            raise StoreError(f"cannot erase from {self._name}: {reason(error)}") from error
