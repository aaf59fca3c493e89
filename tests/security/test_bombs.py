"""Bombs: small requests that would grow. Each is answered soon, and the server's memory stays bounded."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.figures import Figure
from tests.faults.lives import watched
from tests.faults.traffic import keys_of
from tests.faults.wire import ask
from tests.kit.of_dialects import modules
from tests.kit.serving import Served

GROWTH = 400  # mebibytes over what the server held before; a body's cap is 2 or 5
SECONDS = 4.0  # of CPU
MEBIBYTE = 1 << 20
BOMBS = {name: made for module in modules("costly").values() for name, made in module.BOMBS.items()}
"""Of each dialect that has some, in tests/dialects/<dialect>/costly.py."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with watched(tmp_path_factory.mktemp("bombs") / "data", new_python=True) as served:
        yield served


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_bounded_in_memory_and_in_time(served: Served, figure: Figure, name: str) -> None:
    sent = BOMBS[name](keys_of(served.greeting))
    status = Path(f"/proc/{served.process.pid}")
    before = memory(status, "VmRSS")
    (status / "clear_refs").write_text("5")  # the peak is measured from here
    started = busy(status)
    answer = asyncio.run(ask(served.url, sent))
    seconds = busy(status) - started
    grown = memory(status, "VmHWM") - before
    figure(f"{len(sent) / MEBIBYTE:.2f} MiB, {answer.status}, {seconds:.2f} s of CPU, {grown} MiB more at the peak")
    assert answer.status < 500
    assert grown < GROWTH
    assert seconds < SECONDS


def busy(status: Path) -> float:
    """Return how many seconds of CPU a process has had."""
    fields = (status / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(status: Path, name: str) -> int:
    """Return a process's memory by the kernel's name for it, in mebibytes."""
    [line] = [line for line in (status / "status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) // 1024
