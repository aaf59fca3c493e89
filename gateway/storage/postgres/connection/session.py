"""One connection to the database that is opened anew when it was lost, and its transactions. No table is named here."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from gateway.storage.postgres.connection.address import Address, Host
from gateway.storage.postgres.connection.errors import EXPECTED

CONNECT_SECONDS = 4.0
"""How long one host may take to accept a connection."""
STATEMENT_SECONDS = 8.0
"""After how long the server gives up one statement."""
TRANSACTION_SECONDS = 10.0
"""After how long a transaction, with its commit, is given up here, and its connection closed."""
IDLE_SECONDS = 5.0
"""After how long the server ends a transaction whose gateway has stopped in the middle: others may wait for it."""
STATEMENTS = 200
"""How many prepared statements a connection keeps."""
OLDEST = 13
"""The oldest major version of the server."""
ENCODING = "UTF8"
"""The only one in which every event can be kept."""
SETTINGS: Mapping[str, object] = {
    "statement_timeout": int(STATEMENT_SECONDS * 1000),
    "idle_in_transaction_session_timeout": int(IDLE_SECONDS * 1000),
    # What a role or a database asks to be told beside answers is nothing to a gateway: see `Session.warnings`.
    "client_min_messages": "warning",
    # A plan that was made while a table was small must not read it all once it is large.
    "enable_seqscan": "off",
    "jit": "off",
}
INCOMPLETE = "a row of the schema gateway is gone that was made with its tables; restore gateway.state"
NO_SETTINGS: Mapping[str, object] = {}
READING = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""All statements of a reader see one snapshot."""
WRITING = "ISOLATION LEVEL READ COMMITTED READ WRITE"
"""Each statement of a writer sees what was committed while it waited, whatever the database's default is."""
log = logging.getLogger(__name__)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def one(db: Connection, statement: str, *values: object) -> asyncpg.Record:
    """Return the row of a statement that always has one. Raises one of EXPECTED."""
    row = await db.fetchrow(statement, *values)
    if row is None:
        raise asyncpg.InterfaceError(INCOMPLETE)
    return row


class Session:
    """A connection for one transaction at a time. `name` is what the server lists it as.

    A transaction is given up after `seconds`. `settings` are the server's for this session, beside SETTINGS.
    """

    def __init__(
        self,
        address: Address,
        name: str,
        *,
        seconds: float = TRANSACTION_SECONDS,
        settings: Mapping[str, object] = NO_SETTINGS,
    ) -> None:
        self.address = address
        self._name = name
        self._settings = {**SETTINGS, **settings}
        self.seconds = seconds
        """How long a transaction may take."""
        self._connection: Connection | None = None
        self._begin = ""
        self._turn = asyncio.Lock()
        self.warnings: list[str] = []
        """What the server has warned of beside its answer to the last COMMIT."""
        self.is_committing = False
        """Whether the last transaction was sent its COMMIT, and gave no answer, or an error."""
        self.is_too_slow = False
        """Whether the last transaction was given up because it took too long: to try it again takes as long."""
        self.is_pooled = False
        """Whether something like PgBouncer is in between: a transaction may run on any of its connections."""

    async def connection(self) -> Connection:
        """Return the open connection, or a new one. Raises one of EXPECTED."""
        if self._connection is None or self._connection.is_closed():
            self._connection = None
            self._connection = await self._connect()
        return self._connection

    @contextlib.asynccontextmanager
    async def transaction(self, *, readonly: bool = False, seconds: float | None = None) -> AsyncIterator[Connection]:
        """Run the block in a transaction, and commit at its end. Raises one of EXPECTED.

        It may take `seconds`, those of the session if they are not given. If the whole takes too long the connection is
        closed: a cancelled statement could leave open what became of it.
        """
        async with self._turn:
            connection = await self.connection()
            timer = asyncio.get_running_loop().call_later(seconds or self.seconds, self._give_up, connection)
            try:
                self.is_committing = self.is_too_slow = False
                await connection.execute(f"BEGIN {READING if readonly else WRITING}{self._begin}")
                try:
                    yield connection
                except BaseException:
                    await self._roll_back(connection)
                    raise
                self.is_committing = True
                self.warnings.clear()  # of statements before, such as that transaction numbers are running out
                await connection.execute("COMMIT")
                self.is_committing = False
            except EXPECTED as error:
                if self.is_too_slow:  # else it would say that the connection was lost
                    raise TimeoutError from error
                raise
            finally:
                timer.cancel()

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            with contextlib.suppress(*EXPECTED):
                await connection.close(timeout=1.0)

    def terminate(self) -> None:
        """Close the connection at once."""
        if self._connection is not None:
            self._connection.terminate()

    def _give_up(self, connection: Connection) -> None:
        self.is_too_slow = True
        connection.terminate()

    async def _roll_back(self, connection: Connection) -> None:
        if not connection.is_closed():
            with contextlib.suppress(*EXPECTED):
                await connection.execute("ROLLBACK")
                return
        connection.terminate()

    async def _connect(self) -> Connection:
        error: Exception | None = None
        for host in self.address.hosts():
            try:
                return await self._connect_to(host)
            except EXPECTED as failed:
                error = failed
        assert error is not None, "there is at least one host"
        raise error

    async def _connect_to(self, host: Host) -> Connection:
        several = host is not None and "target_session_attrs" not in self.address.url
        connection: Connection = await asyncpg.connect(
            self.address.url,
            host=None if host is None else host[0],
            port=None if host is None else host[1],
            target_session_attrs=SessionAttribute.read_write if several else None,
            timeout=CONNECT_SECONDS,
            statement_cache_size=0 if self.is_pooled else STATEMENTS,
            max_cached_statement_lifetime=0,
            server_settings={"application_name": self._name},
        )
        timer = asyncio.get_running_loop().call_later(CONNECT_SECONDS, connection.terminate)
        try:
            # One statement without parameters: through a pool in transaction mode there may be no other outside a
            # transaction.
            same = await connection.execute(f"SELECT 1 WHERE pg_backend_pid() = {connection.get_server_pid():d}")
            if same != "SELECT 1" and not self.is_pooled:
                self.is_pooled = True
                connection.terminate()
                return await self._connect_to(host)
            version = connection.get_server_version()
            if version.major < OLDEST:
                raise asyncpg.InterfaceError(
                    f"PostgreSQL {version.major} is too old; the gateway needs {OLDEST} or later"
                )
            encoding = connection.get_settings().server_encoding
            if encoding != ENCODING:
                raise asyncpg.InterfaceError(f"its encoding is {encoding}; the gateway needs {ENCODING}")
            self._begin = await self._prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        finally:
            timer.cancel()
        connection.add_log_listener(self._warned)
        return connection

    async def _prepare(self, connection: Connection) -> str:
        """Prepare a connection, and return what each transaction on it begins with.

        With a pool in between no setting may outlast a transaction.
        """
        settings = dict(self._settings)
        for weak in ("off", "local"):
            asked = f"SELECT 1 WHERE current_setting('synchronous_commit') = '{weak}'"
            if await connection.execute(asked) == "SELECT 1":
                settings["synchronous_commit"] = "on"
        if self.is_pooled:
            return "".join([f"; SET LOCAL {name} = {value}" for name, value in settings.items()])
        await connection.execute("; ".join([f"SET {name} = {value}" for name, value in settings.items()]))
        return ""

    def _warned(self, _connection: object, message: object) -> None:
        text = str(message)
        if getattr(message, "severity_en", "WARNING") == "WARNING":  # no notice, such as of a table that is there
            self.warnings.append(text[:300])
        log.debug("the database says: %s", text)
