"""One client's connections shut nobody out: the limit of open files, what happens at it, and what the operator sees."""

import resource
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.bench.procfs import tree
from tests.faults.figures import Figure
from tests.faults.lives import complaints, log_of, status_of, watched
from tests.kit.bounds import canary
from tests.kit.serving import Served

LIMIT = 256  # descriptors
CONFIG = "[server]\nconnections_per_address = 20\n"
SETTLED = 0.5  # seconds: several turns of the server's loop


def opened(served: Served, count: int) -> list[socket.socket]:
    place = urlsplit(served.url)
    return [socket.create_connection((place.hostname, place.port), 10) for _ in range(count)]


def served_metrics(served: Served) -> dict[str, float]:
    with urlopen(f"{served.url}/-/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def open_ones(connections: list[socket.socket]) -> int:
    """Return how many connections the server has not closed."""
    count = 0
    for each in connections:
        each.setblocking(False)
        try:
            count += each.recv(1) != b""
        except BlockingIOError:
            count += 1
        except ConnectionError:
            pass
    return count


@pytest.mark.parametrize("workers", ["1", "2"])
def test_each_process_may_open_as_many_files_as_the_system_allows(tmp_path: Path, workers: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        with watched(tmp_path / "data", "--workers", workers) as served:
            limits = [resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in tree(served.process.pid)]
            assert served.stop() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limits == [(hard, hard)] * (1 if workers == "1" else 4)


def test_idle_connections_make_room_before_descriptors_run_out(tmp_path: Path, figure: Figure) -> None:
    with watched(tmp_path / "data") as served:
        resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        idle: list[socket.socket] = []
        waits = []
        for _ in range(10):
            idle += opened(served, 100)
            with canary(served) as asked:  # on a new connection
                time.sleep(0.05)
            waits.append(max(asked))
        time.sleep(SETTLED)
        left = open_ones(idle)
        metrics = served_metrics(served)
        assert status_of(served.url) == 200
        for each in idle:
            each.close()
        assert served.stop() == 0
    figure(f"{left} of 1,000 idle connections left at {LIMIT} descriptors; others waited {max(waits) * 1000:.0f} ms")
    assert max(waits) < 1
    assert 100 < left < LIMIT - 64
    lines = [line for line in log_of(tmp_path / "data").splitlines() if "descriptors run out" in line]
    assert len(lines) == 1
    assert metrics['gateway_refused_connections_total{reason="descriptors"}'] >= 1000 - left


def test_an_address_with_too_many_connections_is_refused_and_named(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)
    with watched(tmp_path / "data", "--config", str(config)) as served:
        connections = opened(served, 50)
        time.sleep(SETTLED)
        assert open_ones(connections) == 20
        for each in connections:
            each.close()
        time.sleep(SETTLED)
        assert served_metrics(served)['gateway_refused_connections_total{reason="connections_per_address"}'] == 30
        assert served.stop() == 0
    lines = [line for line in complaints(tmp_path / "data") if "connections_per_address" in line]
    assert [line.partition("refused ")[2] for line in lines] == [
        "1 beyond server.connections_per_address, the last from 127.0.0.1"
    ]
