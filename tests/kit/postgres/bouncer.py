"""A real PgBouncer on loopback, in front of a cluster, in transaction mode unless told otherwise.

with bouncing(cluster) as bouncer:
    url = bouncer.url("shop")      # postgresql://gateway:...@127.0.0.1:23456/shop
"""

import contextlib
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import attrs
import pytest

from gateway.testing.postgres.installation import new_folder, own, user
from gateway.testing.postgres.kept import Kept
from tests.kit.postgres.cluster import PASSWORD, PATIENCE, POLL, Cluster, free_port


@attrs.define
class Bouncer:
    """A running PgBouncer, in a folder of its own. It listens on loopback only and checks no password."""

    port: int
    folder: Path
    process: Kept

    @property
    def log(self) -> Path:
        """What it said."""
        return self.folder / "log"

    def url(self, database: str, **query: str) -> str:
        """Return the URL of one of the cluster's databases, by way of PgBouncer, for the role `gateway`."""
        parameters = f"?{urlencode(query)}" if query else ""
        return f"postgresql://gateway:{PASSWORD}@127.0.0.1:{self.port}/{database}{parameters}"

    def restart(self) -> None:
        """End it at once, with all connections, and start it again on its port."""
        self.process.end(signal.SIGKILL)
        self.process = _start(self.folder)
        self.wait()

    def wait(self) -> None:
        """Return when it listens. Raises AssertionError, with what it said, if it does not."""
        deadline = time.monotonic() + PATIENCE
        while not _listens(self.port):
            assert self.process.runs(), f"it ended: {self.log.read_text()}"
            assert time.monotonic() < deadline, f"it does not start: {self.log.read_text()}"
            time.sleep(POLL)


@contextlib.contextmanager
def bouncing(cluster: Cluster, **settings: str) -> Iterator[Bouncer]:
    """Start PgBouncer in front of a cluster: `bouncing(cluster, default_pool_size="5")`. Ends it afterwards."""
    folder, port = new_folder(), free_port()
    (folder / "users").write_text(f'"gateway" "{PASSWORD}"\n')
    given = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "unix_socket_dir": "",
        "auth_type": "trust",
        "auth_file": str(folder / "users"),
        "admin_users": "gateway",
        "pool_mode": "transaction",
        "default_pool_size": "20",
        "max_client_conn": "200",
        **settings,
    }
    ini = ["[databases]", f"* = host=127.0.0.1 port={cluster.port}", "[pgbouncer]"]
    (folder / "ini").write_text("\n".join([*ini, *(f"{name} = {value}" for name, value in given.items()), ""]))
    own(folder)
    bouncer = Bouncer(port, folder, _start(folder))
    try:
        bouncer.wait()
        yield bouncer
    finally:
        bouncer.process.end(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> Kept:
    return Kept.start([_program(), folder / "ini"], folder, folder / "log", user())


def _program() -> str:
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        # For whoever runs the tests without it; .ci/run installs it, and fails on any skip.
        pytest.skip("pgbouncer is not installed (apt-get install pgbouncer)")
    return found


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True
