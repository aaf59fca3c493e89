"""A disk of the database that is full: that of the tables, and that of the log (WAL), which takes the server down."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.testing.postgres.installation import new_folder, own, wheel
from tests.faults.figures import Figure
from tests.faults.lives import seconds_until
from tests.faults.postgres.gateways import gateways
from tests.faults.postgres.sites import site
from tests.faults.postgres.voices import refused_in_every_voice
from tests.faults.test_disk import Filled
from tests.kit.postgres.cluster import Cluster

FULL = 0.3  # seconds
GROW = "CREATE TABLE filler AS SELECT n, repeat('x', 500) FROM generate_series(1, 100000) AS n"  # 60 MB, in WAL too


@pytest.fixture
def small_disk() -> Iterator[Filled]:
    """A small file system of the servers' user."""
    folder = new_folder()
    disk = Filled(folder)
    if not disk.mounted:
        # It takes root, which not everybody is; .ci/run fails on any skip.
        pytest.skip("a tmpfs cannot be mounted here")
    own(disk.data)
    yield disk
    subprocess.run(["umount", "-l", disk.data], check=True)
    shutil.rmtree(folder)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster.started(wheel(), fsync=True) as cluster:
        yield cluster


async def test_a_full_disk_of_the_tables_is_503_in_every_voice_and_is_left_behind(
    small_disk: Filled, cluster: Cluster, tmp_path: Path, figure: Figure
) -> None:
    cluster.sql(f"CREATE TABLESPACE small LOCATION '{small_disk.data}'")
    url = cluster.create_database("shop")
    cluster.sql("ALTER DATABASE shop SET TABLESPACE small")
    with gateways(tmp_path, url, url) as running:
        shop = site(cluster, "shop", running)

        def fill() -> None:
            small_disk.begin()
            for each in running:
                seconds_until(each.url, 503)
            refused_in_every_voice(shop, running[0])
            time.sleep(FULL)
            small_disk.end()

        await shop.hold([fill], figure)
        assert "could not extend file" in running[0].log


async def test_a_full_disk_of_the_log_is_left_behind_when_the_server_is_up_again(
    small_disk: Filled, cluster: Cluster, tmp_path: Path, figure: Figure
) -> None:
    url = cluster.create_database("shop")
    cluster.stop()
    shutil.copytree(cluster.data / "pg_wal", small_disk.data / "pg_wal")
    shutil.rmtree(cluster.data / "pg_wal")
    (cluster.data / "pg_wal").symlink_to(small_disk.data / "pg_wal")
    own(small_disk.data)
    cluster.start()
    with gateways(tmp_path, url, url) as running:
        shop = site(cluster, "shop", running)

        def fill() -> None:
            small_disk.begin()
            with contextlib.suppress(AssertionError):  # it takes the server with it
                cluster.sql(GROW, "shop")
            for each in running:
                seconds_until(each.url, 503)
            small_disk.end()
            assert cluster.process is not None, "it was started"
            if cluster.process.runs():
                cluster.stop(immediate=True)
            cluster.start()

        await shop.hold([fill], figure)
        assert "No space left on device" in cluster.log.read_text()
