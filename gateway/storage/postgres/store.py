"""A database as a Store: wiring only. Every part opens a connection of its own."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager

from gateway.datadir import DataDir
from gateway.keys.admin import Admin
from gateway.keys.keyring import Keyring
from gateway.keys.store import KeyStore
from gateway.records.use_log import UseLog
from gateway.storage.contract import SubmittingStorage
from gateway.storage.erasing.eraser import Eraser
from gateway.storage.group_commit import GroupCommit
from gateway.storage.info import DiskUse, StoreInfo
from gateway.storage.moving import MoveSource, MoveTarget
from gateway.storage.postgres import backups
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import NO_SETTINGS, Connection, Session
from gateway.storage.postgres.credential_uses import PostgresUses
from gateway.storage.postgres.engine import PostgresEngine
from gateway.storage.postgres.erasing.eraser import PostgresEraser
from gateway.storage.postgres.keys.store import PostgresKeyStore
from gateway.storage.postgres.keys.watch import watch
from gateway.storage.postgres.maintenance import Maintenance
from gateway.storage.postgres.moving.source import PostgresSource
from gateway.storage.postgres.moving.target import PostgresTarget
from gateway.storage.postgres.read.info import disk_use, info
from gateway.storage.postgres.read.log import BY_INDEX, PostgresLogReader
from gateway.storage.postgres.read.records import PostgresRecords
from gateway.storage.postgres.rejected import PostgresRejected
from gateway.storage.postgres.retention import Keeping
from gateway.storage.postgres.tables import check, is_current, upgrade
from gateway.storage.read import LogReader
from gateway.storage.records import Records
from gateway.storage.rejected_log import RejectedRequestLog
from gateway.storage.store import Backup, StoreSettings
from gateway.store_error import StoreError

UPGRADE_SECONDS = 3600.0
"""How long an upgrade of the tables may take, with the wait for another gateway's."""
log = logging.getLogger(__name__)


def open_store(url: str) -> "PostgresStore":
    """Return the store of a URL. Raises StoreError."""
    return PostgresStore(Address(url))


class PostgresStore:
    """One database. See Store."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._opened: tuple[PostgresEngine, Maintenance] | None = None
        self._version = "PostgreSQL"

    @property
    def engine(self) -> str:
        """See Store. Its version is known once it is prepared."""
        return self._version

    @property
    def name(self) -> str:
        """See Store."""
        return self._address.name

    @property
    def directory(self) -> DataDir | None:
        """See Store."""
        return None

    async def prepare(self) -> None:
        """See Store. Here a server, and no command, says that the database may lose what was acknowledged."""
        await self._upgrade()
        async with self._session("gateway upgrade") as session:
            with self._in_one_line():
                async with session.transaction(readonly=True) as db:
                    syncs = await db.fetchval("SELECT current_setting('fsync')") != "off"
                    self._version = f"PostgreSQL {db.get_server_version().major}"
        if not syncs:
            log.warning("%s does not sync its files (fsync = off): a crash may lose events", self.name)

    @contextlib.asynccontextmanager
    async def storage(self, settings: StoreSettings) -> AsyncIterator[SubmittingStorage]:
        """See Store."""
        with self._in_one_line():
            engine = await PostgresEngine.open(self._address, settings.quarantine_bytes)
        storage = GroupCommit(engine, queue_bytes=settings.queue_bytes, on_commit=settings.on_commit)
        keeping = _keeping(settings)
        session = Session(self._address, "gateway maintenance")
        try:
            maintenance = Maintenance(engine, session, keeping)
            async with maintenance.running():
                self._opened = engine, maintenance
                yield storage
        finally:
            self._opened = None
            await session.close()
            await storage.close()

    async def renew(self, settings: StoreSettings) -> None:
        """See Store."""
        if self._opened is not None:
            engine, maintenance = self._opened
            engine.renew(settings.quarantine_bytes)
            maintenance.renew(_keeping(settings))

    def rejected_log(self, settings: StoreSettings) -> RejectedRequestLog:
        """See Store."""
        writer = PostgresRejected(
            Session(self._address, "gateway rejected"), settings.rejected_bytes, settings.rejected_window
        )
        return RejectedRequestLog(writer, keep=settings.rejected_bytes > 0)

    def use_log(self) -> UseLog:
        """See Store."""
        return UseLog(PostgresUses(Session(self._address, "gateway uses")))

    @contextlib.asynccontextmanager
    async def log(self) -> AsyncIterator[LogReader]:
        """See Store."""
        async with self._session("gateway reader", BY_INDEX) as session:
            yield PostgresLogReader(session)

    @contextlib.asynccontextmanager
    async def records(self) -> AsyncIterator[Records]:
        """See Store."""
        async with self._session("gateway records") as session:
            yield PostgresRecords(session)

    @contextlib.asynccontextmanager
    async def keys(self, *, make: bool = False) -> AsyncIterator[KeyStore]:
        """See Store."""
        if make:
            await self._upgrade()
        async with self._session("gateway keys") as session:
            yield PostgresKeyStore(session)

    async def watch_keys(self, on_change: Callable[[Keyring, Admin], None]) -> None:
        """See Store."""
        session = Session(self._address, "gateway watch")
        try:
            await watch(session, on_change)
        finally:
            await session.close()

    async def info(self) -> StoreInfo:
        """See Store."""
        async with self._session("gateway info") as session:
            with self._in_one_line():
                async with session.transaction(readonly=True) as db:
                    return await info(db)

    async def disk_use(self) -> DiskUse:
        """See Store."""
        async with self._session("gateway info") as session:
            with self._in_one_line():
                async with session.transaction(readonly=True) as db:
                    return await disk_use(db)

    def eraser(self, writer: object = None) -> AbstractAsyncContextManager[Eraser]:
        """See Store."""
        return PostgresEraser.opened(self._address)

    async def compact(self) -> tuple[int, int]:
        """See Store."""
        raise StoreError(f"{self.name} needs no compacting: PostgreSQL's autovacuum does it")

    def move_source(self) -> AbstractAsyncContextManager[MoveSource]:
        """See Store."""
        return PostgresSource.opened(self._address)

    def move_target(self) -> AbstractAsyncContextManager[MoveTarget]:
        """See Store."""
        return PostgresTarget.opened(self._address)

    async def backups(self) -> list[Backup]:
        """See Store."""
        async with self._listed(readonly=True) as db:
            return await backups.backups(db)

    async def add_backup(self, backup: Backup) -> None:
        """See Store."""
        async with self._listed() as db:
            await backups.add(db, backup)

    async def remove_backup(self, backup: Backup) -> None:
        """See Store."""
        async with self._listed() as db:
            await backups.remove(db, backup)

    @contextlib.asynccontextmanager
    async def _listed(self, *, readonly: bool = False) -> AsyncIterator[Connection]:
        async with self._session("gateway backups") as session:
            with self._in_one_line():
                async with session.transaction(readonly=readonly) as db:
                    yield db

    async def _upgrade(self) -> None:
        session = Session(self._address, "gateway upgrade")
        try:
            with self._in_one_line():
                # A start that has nothing to upgrade ends soon where commits hang, as without a standby that counts.
                if not await is_current(session):
                    session.seconds = UPGRADE_SECONDS
                await upgrade(session)
        finally:
            await session.close()

    @contextlib.asynccontextmanager
    async def _session(self, name: str, settings: Mapping[str, object] = NO_SETTINGS) -> AsyncIterator[Session]:
        """Open a session on a database that has the gateway's tables, and close it at the end of the block."""
        session = Session(self._address, name, settings=settings)
        try:
            with self._in_one_line():
                async with session.transaction(readonly=True) as db:
                    await check(db, self.name)
            yield session
        finally:
            await session.close()

    @contextlib.contextmanager
    def _in_one_line(self) -> Iterator[None]:
        try:
            yield
        except EXPECTED as error:
            raise StoreError(f"cannot use {self.name}: {reason(error)}") from error


def _keeping(settings: StoreSettings) -> Keeping:
    return Keeping(settings.window, settings.keep_events_of, settings.keep_raw)
