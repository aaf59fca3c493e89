"""The servers that other tests build on: they start, fail as they are told to, and leave nothing behind."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from gateway.testing.postgres.installation import wheel
from tests.kit.postgres.bouncer import bouncing
from tests.kit.postgres.cluster import CHECKED, PASSWORD, Cluster
from tests.kit.postgres.installation import INSTALLATIONS

PATIENCE = 30
SHORT = 0.5  # seconds


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One that this module's tests may kill."""
    with Cluster.started(wheel()) as cluster:
        yield cluster


async def ask(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url, timeout=PATIENCE)
    try:
        return await connection.fetchval(statement, timeout=PATIENCE)
    finally:
        await connection.close(timeout=PATIENCE)


@pytest.mark.parametrize("database", INSTALLATIONS, indirect=True)
async def test_a_test_gets_an_empty_database_whose_owner_is_no_superuser(database: str) -> None:
    assert await ask(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert await ask(database, "SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user") is False
    assert await ask(database, "CREATE TABLE t AS SELECT 7 AS a") is None
    assert await ask(database, "SELECT a FROM t") == 7


def test_the_server_runs_as_an_ordinary_user(clusters: Callable[[str], Cluster]) -> None:
    process = clusters("wheel").process
    assert process is not None
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in process.family()} == {os.geteuid() or 65534}


async def test_one_role_is_asked_for_its_password(cluster: Cluster) -> None:
    assert await ask(cluster.url(role=CHECKED), "SELECT 1") == 1
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(cluster.url(role=CHECKED).replace(PASSWORD, "wrong"), "SELECT 1")


@pytest.mark.parametrize("end", [Cluster.stop, Cluster.kill])
async def test_what_is_committed_outlives_a_stop_and_a_kill(cluster: Cluster, end: Callable[[Cluster], None]) -> None:
    url = cluster.create_database(f"outlives_{end.__name__}")
    await ask(url, "CREATE TABLE t AS SELECT 7 AS a")
    end(cluster)
    with pytest.raises(ConnectionRefusedError):
        await ask(url, "SELECT 1")
    cluster.start()
    assert await ask(url, "SELECT a FROM t") == 7


async def test_a_hanging_server_answers_nothing_and_then_goes_on(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.url("postgres"), timeout=PATIENCE)
    with cluster.hanging():
        answer = asyncio.create_task(connection.fetchval("SELECT 1"))
        with pytest.raises(TimeoutError):
            await asyncpg.connect(cluster.url("postgres"), timeout=SHORT)
        assert not answer.done()
    assert await asyncio.wait_for(answer, PATIENCE) == 1
    await connection.close(timeout=PATIENCE)


async def test_backends_can_be_ended_and_settings_changed(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.url("postgres"), timeout=PATIENCE)
    assert cluster.terminate_backends("postgres") == 1
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, ConnectionError)):
        await connection.fetchval("SELECT 1", timeout=PATIENCE)
    cluster.configure(work_mem="5MB")
    assert await ask(cluster.url("postgres"), "SHOW work_mem") == "5MB"


async def test_a_synchronous_standby_holds_every_commit_and_can_be_promoted() -> None:
    with Cluster.started(wheel()) as primary, primary.standby() as standby:
        await ask(primary.create_database("shop"), "CREATE TABLE t AS SELECT 7 AS a")
        with standby.hanging():
            connection = await asyncpg.connect(primary.url("shop"), timeout=PATIENCE)
            with pytest.raises(TimeoutError):  # it is not answered before the standby has it
                await connection.execute("INSERT INTO t VALUES (8)", timeout=SHORT)
            connection.terminate()
        primary.kill()
        standby.promote()
        assert await ask(standby.url("shop"), "INSERT INTO t VALUES (9) RETURNING pg_is_in_recovery()") is False
        hosts = f"postgresql://gateway@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/shop"
        assert await ask(f"{hosts}?target_session_attrs=read-write", "SELECT min(a) FROM t") == 7


async def test_pgbouncer_gives_a_connection_for_the_length_of_a_transaction(cluster: Cluster) -> None:
    cluster.create_database("bounced")
    with bouncing(cluster, default_pool_size="1") as bouncer:
        one, two = [
            await asyncpg.connect(bouncer.url("bounced"), timeout=PATIENCE, statement_cache_size=0) for _ in range(2)
        ]
        pids = [await each.fetchval("SELECT pg_backend_pid()", timeout=PATIENCE) for each in (one, two)]
        assert pids == [pids[0]] * 2
        await asyncio.gather(one.close(timeout=PATIENCE), two.close(timeout=PATIENCE))


def test_nothing_is_left_of_a_server_whose_test_process_is_killed() -> None:
    program = """if True:
        import pathlib, sys, time
        from tests.kit.postgres.cluster import Cluster
        from gateway.testing.postgres.installation import Installation
        found = Installation("wheel", pathlib.Path(sys.argv[1]))
        with Cluster.started(found) as cluster, cluster.hanging():
            print(cluster.folder, cluster.process.keeper.pid, *cluster.process.family(), flush=True)
            time.sleep(60)
    """
    programs = wheel().program("postgres").parent
    with subprocess.Popen([sys.executable, "-c", program, programs], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        folder, keeper, *family = killed.stdout.readline().split()
        ended = os.pidfd_open(int(keeper))
        killed.send_signal(signal.SIGKILL)
    with os.fdopen(ended) as waited:
        select.select([waited], [], [], PATIENCE)
    assert len(family) > 3
    assert [path for path in (folder, *(f"/proc/{pid}" for pid in family)) if Path(path).exists()] == []
