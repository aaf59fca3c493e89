"""The PostgreSQL engine: commits groups over one connection, and finds out what became of a commit that broke off."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

import asyncpg

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Broken, Entry
from gateway.storage.plan import Plan
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.errors import AGAIN, EXPECTED, classify, is_lost, reason
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.gateways import Gateway
from gateway.storage.postgres.partitions import known_days, make_days
from gateway.storage.postgres.tables import check
from gateway.storage.postgres.write.erasures import Erasures
from gateway.storage.postgres.write.quarantine import LostRace, Quarantine
from gateway.storage.postgres.write.writer import GroupWrite, MissingDays, UnknownErasures, Writer
from gateway.store_error import StoreError

TRIES = 5
"""How often a transaction is tried that another gateway made impossible."""
UNKNOWN_SECONDS = 8.0
"""How long to ask what became of a commit before its clients are told to try again."""
UNKNOWN_PAUSE = 0.2
LEAVE_SECONDS = 2.0
"""How long a gateway that ends tries to give its number back."""
STATUS = (
    "SELECT CASE WHEN $1::bigint < pg_snapshot_xmax(pg_current_snapshot())::text::bigint "
    "THEN pg_xact_status($1::bigint::text::xid8) END"
)
WITNESS = {
    "receipts": "SELECT 1 FROM gateway.receipts WHERE project = $1 AND id = $2",
    "settled": "SELECT 1 FROM gateway.settled WHERE project = $1 AND id = $2",
}
log = logging.getLogger(__name__)


class PostgresEngine:
    """One of the processes that write into a database. See Engine."""

    def __init__(self, session: Session, writer: Writer) -> None:
        self._session = session
        self._writer = writer
        self._checked: Connection | None = None

    @classmethod
    async def open(cls, address: Address, quarantine_bytes: Callable[[str], int]) -> "PostgresEngine":
        """Connect, and take a number among the gateways. Raises StoreError, or one of EXPECTED."""
        session = Session(address, "gateway")
        try:
            async with session.transaction() as db:
                await check(db, address.name)
                gateway = await Gateway.claim(db)
                days = await make_days(db)
            writer = Writer(gateway, Quarantine(gateway, quarantine_bytes), days)
        except BaseException:
            await session.close()
            raise
        return cls(session, writer)

    @property
    def gateway(self) -> Gateway:
        """This process among all that write."""
        return self._writer.gateway

    def renew(self, quarantine_bytes: Callable[[str], int]) -> None:
        """Follow other sizes of the quarantines from the next commit on."""
        self._writer.quarantine.bound = quarantine_bytes

    async def commit(self, entries: Sequence[Entry]) -> list[Appended]:
        """See Engine."""
        again = 0
        while True:
            again += 1
            try:
                return await self._commit(entries)
            except (MissingDays, UnknownErasures, asyncpg.CheckViolationError) as missing:
                if again >= TRIES:
                    raise Broken(f"a group cannot be written: {missing}") from missing
                await self._reach_database(self._get(missing))
            except (LostRace, *AGAIN) as error:
                if again >= TRIES:
                    raise StorageUnavailable("other gateways were faster every time") from error
                if isinstance(error, asyncpg.UniqueViolationError):
                    self._writer.skip_receipts(entries)
            except EXPECTED as error:
                # An idle connection may have been closed at any time: nothing was sent, so that nothing is lost.
                if again > 1 or self._session.is_too_slow or not is_lost(error):
                    raise classify(error) from error

    async def _get(self, missing: Exception) -> None:
        """Get what a group lacked: what is known of erasures, or the partitions of some days."""
        if isinstance(missing, UnknownErasures):
            async with self._session.transaction(readonly=True) as db:
                self._writer.erasures = await Erasures.load(db)
        else:
            await self.make_days(missing.days if isinstance(missing, MissingDays) else ())

    async def make_days(self, days: Iterable[int] = ()) -> None:
        """Make the partitions of these days that are missing, and of those that are about to begin.

        Raises one of EXPECTED.
        """
        async with self._session.transaction() as db:
            self._writer.days = await make_days(db, days)

    async def reopen(self) -> None:
        """See Engine."""
        await self._session.close()
        await self._reach_database(self._open_again())

    async def look_at_days(self, session: Session) -> None:
        """Learn over another session which days have partitions: some were made, or forgotten. Raises of EXPECTED."""
        async with session.transaction(readonly=True) as db:
            self._writer.days = await known_days(db)

    async def close(self) -> None:
        """See Engine."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS), self._session.transaction() as db:
                await self.gateway.leave(db)
        except EXPECTED as error:
            log.debug("the gateway's number is free only in a minute: %s", reason(error))
        await self._session.close()

    async def _commit(self, entries: Sequence[Entry]) -> list[Appended]:
        writer = self._writer
        await self._reach_database(self._connect())
        if items := sum([len(entry.quarantined) for entry in entries]):
            await self.gateway.reserve(self._session, items)
        if not entries:
            await self._sign()
            return []
        written: GroupWrite | Plan | None = None
        try:
            async with self._session.transaction() as db:
                written = await writer.write(db, entries)
                if isinstance(written, Plan):
                    # A repetition is answered with what another transaction wrote, perhaps one whose wait for a standby
                    # was ended. A write of its own makes the commit wait until the standby has that too.
                    await self.gateway.seen(db)
        except EXPECTED as error:
            if not isinstance(written, GroupWrite) or not self._session.is_committing or not is_lost(error):
                raise
            log.warning("a commit broke off: %s; asking what became of it", reason(error))
            if not await self._is_committed(written):
                raise
        self._check_standbys()
        if isinstance(written, Plan):
            return written.answers
        assert written is not None, "a group is never empty here"
        writer.committed(written)
        return written.plan.answers

    async def _is_committed(self, written: GroupWrite) -> bool:
        """Return whether a transaction whose end is unknown was committed, and every standby that counts has it.

        A row of the transaction tells: its number may have been given again after a failover. That the transaction that
        asks is committed too, with what it writes, means that standbys have all that came before. Raises Broken if
        nobody can say.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + UNKNOWN_SECONDS
        while written.witness is not None and (left := deadline - loop.time()) > 0:
            table, project, number = written.witness
            try:
                async with self._session.transaction(seconds=left) as db:
                    is_running = await db.fetchval(STATUS, written.xid) == "in progress"
                    found = await db.fetchval(WITNESS[table], project, number) is not None
                    await self.gateway.seen(db)
                self._check_standbys()
                if found or not is_running:
                    return found
            except EXPECTED as error:
                log.debug("the database cannot be asked: %s", reason(error))
            await asyncio.sleep(UNKNOWN_PAUSE)
        raise Broken("the connection to the database was lost in a commit, and nobody can say what became of it")

    async def _sign(self) -> None:
        """Write a sign of life, and all that a group writes, without a row.

        Raises Broken where it cannot be known whether standbys have it.
        """
        async with self._session.transaction() as db:
            await self._writer.write_nothing(db)
            await self.gateway.seen(db)
        self._check_standbys()

    def _check_standbys(self) -> None:
        """Raise Broken if the server has said, beside the answer to a COMMIT, that the wait for a standby was ended."""
        if self._session.warnings:
            raise Broken(f"the database has warned of a commit: {self._session.warnings[0]}")

    async def _connect(self) -> None:
        """Open a connection if there is none, and check that the tables behind a new one have a known version."""
        if await self._session.connection() is not self._checked:
            async with self._session.transaction() as db:
                await check(db, self._session.address.name)
            self._checked = db

    async def _open_again(self) -> None:
        async with self._session.transaction() as db:
            await check(db, self._session.address.name)
            self._writer.days = await known_days(db)
        await self._sign()

    async def _reach_database(self, work: Awaitable[object]) -> None:
        """Await what does not depend on any entry: whatever fails, the database is at fault."""
        try:
            await work
        except Broken:
            raise
        except StoreError as error:
            raise Broken(str(error)) from error
        except EXPECTED as error:
            raise Broken(f"the database cannot be reached: {reason(error)}") from error
