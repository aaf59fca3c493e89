"""A real PostgreSQL server on loopback, and what a test does to it: hang, configure, replicate.

with Cluster.started(wheel()) as cluster:
    url = cluster.create_database("shop")      # postgresql://gateway:...@127.0.0.1:20481/shop
    with cluster.hanging():
        ...
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator

import attrs

from gateway.testing.postgres.installation import new_folder
from gateway.testing.postgres.server import CHECKED, PASSWORD, PATIENCE, POLL, Server, free_port

__all__ = ["CHECKED", "PASSWORD", "PATIENCE", "POLL", "Cluster", "free_port"]


@attrs.define
class Cluster(Server):
    """A server that a test may harm. Most tests share one (fixtures.py); one that harms it starts its own."""

    @classmethod
    def of(cls, server: Server) -> "Cluster":
        """Return a running server as a cluster: whoever started it stops it."""
        return cls(server.installation, server.folder, server.port, server.settings, server.process)

    # Faults while it runs

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Stop all processes of the server meanwhile: it answers nothing, and connections to it stay open."""
        running = self.running()
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
        self.write_settings()
        if self.process is not None and self.process.runs():
            before = self.sql("SELECT pg_conf_load_time()")
            self.process.send(signal.SIGHUP)
            self.wait_until(f"SELECT pg_conf_load_time() <> '{before[0]}'")

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


def _signal_all(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
