"""A real PostgreSQL server on loopback.

    with Server.started(wheel()) as server:
        url = server.create_database("shop")      # postgresql://gateway:...@127.0.0.1:20481/shop

Calls block, each for at most half a minute; from a coroutine that must go on meanwhile: `asyncio.to_thread`.
"""

import contextlib
import random
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import attrs

from gateway.testing.postgres.installation import Installation, new_folder, own, user
from gateway.testing.postgres.kept import Kept

PATIENCE = 30  # seconds
POLL = 0.01  # seconds
PORTS = range(20000, 32000)  # below those that the kernel gives to `port 0`: one stays free while its server is down
CHANCE = random.SystemRandom()  # hypothesis seeds the other one, and so alike in every process
PASSWORD = "not-to-be-printed"  # noqa: S105  (of the role `gateway`; the server does not check it)
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
class Server:
    """A server with its data directory. `folder` is its own, and is removed by `close`."""

    installation: Installation
    folder: Path
    port: int
    settings: dict[str, str]
    process: Kept | None = None

    # Making one

    @classmethod
    @contextlib.contextmanager
    def started(cls, installation: Installation, *, fsync: bool = False, **settings: str) -> Iterator[Self]:
        """Make a server and start it; stop it and remove it afterwards, whatever happened.

        The role `gateway` is an ordinary one that owns the databases made here. Without fsync, a killed server still
        loses nothing; only a machine without power would.
        """
        server = cls(
            installation, new_folder(), free_port(), {"fsync": "on" if fsync else "off", **SETTINGS, **settings}
        )
        try:
            installation.new_data(server.data)
            (server.data / "pg_hba.conf").write_text(HBA)
            server.start()
            server.sql(f"CREATE ROLE gateway LOGIN; CREATE ROLE {CHECKED} LOGIN PASSWORD '{PASSWORD}' IN ROLE gateway")
            yield server
        finally:
            server.close()

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
        self.write_settings()
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
        self.running().end(signal.SIGQUIT if immediate else signal.SIGINT)

    def restart(self, *, immediate: bool = False) -> None:
        """Stop the server and start it again on the same port."""
        self.stop(immediate=immediate)
        self.start()

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL, and then, as an init system does, what it leaves behind."""
        self.running().end(signal.SIGKILL)

    def running(self) -> Kept:
        """Return its process. Raises AssertionError if it does not run."""
        process = self.process
        assert process is not None, "it was never started"
        assert process.runs(), f"it does not run: {self.last_said()}"
        return process

    def write_settings(self) -> None:
        """Write the settings for a server that starts or is told to read them."""
        given = {**self.settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        file = self.data / "postgresql.auto.conf"
        file.write_text("".join(f"{name} = '{value}'\n" for name, value in given.items()))
        own(file)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    while True:
        port = CHANCE.choice(PORTS)
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
