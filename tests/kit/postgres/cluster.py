"""A real PostgreSQL server on loopback, and what a test does to it: restart, kill, hang, configure, replicate.

    with Cluster.started(wheel()) as cluster:
        url = cluster.create_database("shop")      # postgresql://gateway:...@127.0.0.1:20481/shop

Calls block, each for at most half a minute; from a coroutine that must go on meanwhile: `asyncio.to_thread`.
"""

import contextlib
import os
import random
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import attrs

from tests.kit.postgres.installation import Installation, new_folder, own, user
from tests.kit.postgres.kept import Kept

PATIENCE = 30  # seconds
POLL = 0.01  # seconds
PORTS = range(20000, 32000)  # below those that the kernel gives to `port 0`: one stays free while its server is down
CHANCE = random.SystemRandom()  # hypothesis seeds the other one, and so alike on every worker
PASSWORD = "not-to-be-printed"  # of the role `gateway`; the server does not check it
CHECKED = "checked"  # a role like `gateway`, but the server checks its password, PASSWORD

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "max_wal_size": "64MB",
    "min_wal_size": "8MB",
    "autovacuum": "off",  # its transactions would hold up the readers of any database of the server, for a moment
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
HBA = f"""\
local all all trust
local replication all trust
host all {CHECKED} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
"""


@attrs.define
class Cluster:
    """A server with its data directory. `folder` is its own, and is removed by `close`."""

    installation: Installation
    folder: Path
    port: int
    settings: dict[str, str]
    process: Kept | None = None

    # Making one

    @classmethod
    @contextlib.contextmanager
    def started(cls, installation: Installation, *, fsync: bool = False, **settings: str) -> Iterator["Cluster"]:
        """Make a cluster and start it; stop it and remove it afterwards, whatever happened.

        The role `gateway` is an ordinary one that owns the databases made here. Without fsync, a killed server still
        loses nothing; only a machine without power would.
        """
        cluster = cls(
            installation, new_folder(), free_port(), {"fsync": "on" if fsync else "off", **SETTINGS, **settings}
        )
        try:
            installation.new_data(cluster.data)
            (cluster.data / "pg_hba.conf").write_text(HBA)
            cluster.start()
            cluster.sql(f"CREATE ROLE gateway LOGIN; CREATE ROLE {CHECKED} LOGIN PASSWORD '{PASSWORD}' IN ROLE gateway")
            yield cluster
        finally:
            cluster.close()

    def close(self) -> None:
        """Stop the server at once, and remove its data."""
        if self.process is not None and self.process.runs():
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server said."""
        return self.folder / "log"

    def last_said(self) -> str:
        """Return the end of the log."""
        return self.log.read_text("utf-8")[-2000:]

    # Addresses and statements

    def url(self, database: str = "postgres", *, role: str = "gateway", **query: str) -> str:
        """Return the URL of a database over TCP, with libpq's parameters: `url("shop", sslmode="disable")`."""
        parameters = f"?{urlencode(query)}" if query else ""
        return f"postgresql://{role}:{PASSWORD}@127.0.0.1:{self.port}/{database}{parameters}"

    def sql(self, statement: str, database: str = "postgres") -> list[str]:
        """Run a statement as the superuser, over the Unix socket; return its rows, columns parted by `|`."""
        place = ("--host", self.folder, "--port", str(self.port), "--username", "postgres", "--dbname", database)
        options = ("--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--set", "ON_ERROR_STOP=1")
        return self.installation.run("psql", *place, *options, "--command", statement).splitlines()

    def create_database(self, name: str, like: str = "template1") -> str:
        """Make a database that the role `gateway` owns, empty or like another one; return its URL."""
        # From 15 on, files can be copied instead of logged: without fsync, that takes a third of the time.
        self.sql(f'CREATE DATABASE "{name}" OWNER gateway TEMPLATE "{like}" STRATEGY file_copy')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    # Starting and ending

    def start(self) -> None:
        """Start the server; return when it takes connections. Raises AssertionError with the end of its log."""
        assert self.process is None or not self.process.runs(), "it runs"
        if self.process is not None:  # it ended by itself, and nobody has waited for it
            self.process.wait()
        self._write_settings()
        command = (self.installation.program("postgres"), "-D", self.data)
        self.process = Kept.start(command, self.folder, self.log, user())
        deadline = time.monotonic() + PATIENCE
        while not self._takes_connections():
            assert self.process.runs(), f"it ended: {self.last_said()}"
            assert time.monotonic() < deadline, f"it does not start: {self.last_said()}"
            time.sleep(POLL)

    def _takes_connections(self) -> bool:
        assert self.process is not None
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # The file of a killed server stays: the first line tells whose it is.
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() in ("ready", "standby")

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server. Fast: connections are ended, and what is stored is written out. Immediate: as a crash."""
        self._running().end(signal.SIGQUIT if immediate else signal.SIGINT)

    def restart(self, *, immediate: bool = False) -> None:
        """Stop the server and start it again on the same port."""
        self.stop(immediate=immediate)
        self.start()

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL, and then, as an init system does, what it leaves behind."""
        self._running().end(signal.SIGKILL)

    def _running(self) -> Kept:
        process = self.process
        assert process is not None, "it was never started"
        assert process.runs(), f"it does not run: {self.last_said()}"
        return process

    # Faults while it runs

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Stop all processes of the server meanwhile: it answers nothing, and connections to it stay open."""
        running = self._running()
        stopped: set[int] = set()
        while new := set(running.family()) - stopped:
            _signal_all(new, signal.SIGSTOP)
            stopped |= new
        try:
            yield
        finally:
            _signal_all(stopped, signal.SIGCONT)

    def terminate_backends(self, database: str | None = None) -> int:
        """End the connections of all clients, or of those of one database; return how many there were."""
        where = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        where += f" AND datname = '{database}'" if database else ""
        return int(self.sql(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {where}")[0])

    def configure(self, **settings: str) -> None:
        """Change settings: `configure(work_mem="8MB")`. A running server reads them at once; some need a restart."""
        self.settings.update(settings)
        self._write_settings()
        if self.process is not None and self.process.runs():
            before = self.sql("SELECT pg_conf_load_time()")
            self.process.send(signal.SIGHUP)
            self.wait_until(f"SELECT pg_conf_load_time() <> '{before[0]}'")

    def _write_settings(self) -> None:
        given = {**self.settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        file = self.data / "postgresql.auto.conf"
        file.write_text("".join(f"{name} = '{value}'\n" for name, value in given.items()))
        own(file)

    def wait_until(self, statement: str, database: str = "postgres") -> None:
        """Return once a statement says true: `wait_until("SELECT count(*) = 1 FROM pg_stat_replication")`."""
        deadline = time.monotonic() + PATIENCE
        while self.sql(statement, database) != ["t"]:
            assert time.monotonic() < deadline, f"never true: {statement}"
            time.sleep(POLL)

    # Replication

    @contextlib.contextmanager
    def standby(self, *, synchronous: bool = True, port: int | None = None) -> Iterator["Cluster"]:
        """Copy the running cluster with pg_basebackup, and start the copy as a standby that follows it.

        With `synchronous`, a commit here waits for the standby from then on, and once the standby is gone, for ever.
        """
        other = Cluster(self.installation, new_folder(), port or free_port(), dict(self.settings))
        other.settings.pop("synchronous_standby_names", None)
        other.settings["primary_conninfo"] = f"host=127.0.0.1 port={self.port} user=postgres application_name=standby"
        try:
            source = ("--host", self.folder, "--port", str(self.port), "--username", "postgres")
            self.installation.run(
                "pg_basebackup", *source, "--pgdata", other.data, "--checkpoint", "fast", "--no-sync", "--no-manifest"
            )
            (other.data / "standby.signal").touch()
            other.start()
            if synchronous:
                self.configure(synchronous_standby_names="standby")
            state = "sync" if synchronous else "async"
            self.wait_until(f"SELECT coalesce(bool_and(sync_state = '{state}'), false) FROM pg_stat_replication")
            yield other
        finally:
            other.close()

    def promote(self) -> None:
        """Make a standby the primary; return when it takes writes."""
        self.installation.run("pg_ctl", "promote", "--wait", "--timeout", str(PATIENCE), "--pgdata", self.data)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    while True:
        port = CHANCE.choice(PORTS)
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


def _signal_all(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
