"""A disk that is full or that fails: the gateway stops saying yes, says so, and comes back by itself."""

import asyncio
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.gate import Gate, exchanged
from tests.faults.figures import Figure
from tests.faults.lives import seconds_until, status_of, watched
from tests.faults.oracle import GOOD, Oracle, faults_in
from tests.faults.traffic import Keys, Sent, keys_of, kinds
from tests.faults.wire import Answer, ask
from tests.kit.of_dialects import subjects
from tests.kit.serving import Served

MEBIBYTES = 48
MAX_KEPT = 200


class Trouble(Protocol):
    """A disk whose trouble begins and ends when a test says so."""

    data: Path
    env: dict[str, str]

    def begin(self) -> None: ...

    def end(self) -> None: ...


class Filled:
    """A small tmpfs, filled with a ballast."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "disk"
        self.data.mkdir()
        self.env: dict[str, str] = {}
        size = f"size={MEBIBYTES}m,mode=0700"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "tmpfs", self.data], capture_output=True, check=False
        )
        self.mounted = done.returncode == 0

    def begin(self) -> None:
        with (self.data / "ballast").open("wb", buffering=0) as file:
            size = 1 << 20
            while size >= 1:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 16

    def end(self) -> None:
        (self.data / "ballast").unlink()


class Shimmed:
    """A disk behind the shim, which fails while a file stands in the control folder."""

    def __init__(self, folder: Path, shim: Path, flag: str) -> None:
        self.data, control = folder / "data", folder / "control"
        control.mkdir()
        self.env = {"LD_PRELOAD": str(shim), "FAULTS_ROOT": str(self.data), "FAULTS_CONTROL": str(control)}
        self._flag = control / flag

    def begin(self) -> None:
        self._flag.touch()

    def end(self) -> None:
        self._flag.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Filled]:
    disk = Filled(tmp_path)
    if not disk.mounted:
        # It takes root, which not everybody is; .ci/run fails on any skip.
        pytest.skip("a tmpfs cannot be mounted here; the test beside this one does the same with a shim")
    yield disk
    subprocess.run(["umount", "-l", disk.data], check=True)


def test_a_full_disk_is_503_in_every_voice_and_is_left_behind_without_a_restart(
    small_disk: Filled, figure: Figure
) -> None:
    endured(small_disk, figure)


@pytest.mark.parametrize(("flag", "workers"), [("full", 1), ("eio", 1), ("eio", 2)])
def test_a_disk_that_cannot_keep_is_503_in_every_voice_and_is_left_behind_without_a_restart(
    tmp_path: Path, figure: Figure, shim: Callable[[str], Path], flag: str, workers: int
) -> None:
    endured(Shimmed(tmp_path, shim("disk"), flag), figure, workers)


def endured(disk: Trouble, figure: Figure, workers: int = 1) -> None:
    """Have trouble begin and end under load, check every answer in between, and that nothing was lost by it."""
    with watched(disk.data, "--workers", str(workers), env=disk.env) as served:
        keys = keys_of(served.greeting)
        oracle = Oracle(kinds(keys), random.Random(3))
        back = asyncio.run(troubled(disk, served, oracle, keys))
        figures = oracle.judge(served)
        assert served.stop() == 0
    figure(f"ready again {back:.2f} s after, {oracle.counts['unavailable']} answers of 503, {figures}")
    assert oracle.broken == []
    assert faults_in(figures) == GOOD
    assert oracle.counts["unavailable"] > 0


async def troubled(disk: Trouble, served: Served, oracle: Oracle, keys: Keys) -> float:
    stop = asyncio.Event()
    load = asyncio.create_task(oracle.load(served.url, stop))
    await asyncio.sleep(0.4)
    disk.begin()
    await asyncio.to_thread(seconds_until, served.url, 503)
    for answer, sent in await refused(served.url, keys, oracle):
        assert (sent.kind, answer.status, int(answer.headers["retry-after"]) > 0) == (sent.kind, 503, True)
        assert (sent.kind, answer.body) == (sent.kind, await voice(sent, keys))
    assert status_of(served.url, "/-/healthy") == 200
    await asyncio.sleep(0.3)
    disk.end()
    started = time.monotonic()
    await asyncio.to_thread(seconds_until, served.url, 200)
    back = time.monotonic() - started
    await asyncio.sleep(0.3)
    stop.set()
    await load
    await oracle.settle(served.url)
    return back


async def voice(sent: Sent, keys: Keys) -> bytes:
    """Return what the vendor of a request says where nothing can be kept: a gateway in memory is told so."""
    dialect = subjects()[sent.dialect].dialect
    gate = Gate.of(dialect, [CorpusCredential(dialect.kinds[0].name, keys[sent.dialect])])
    gate.storage.failure = StorageUnavailable("the disk is full")
    return (await exchanged(gate.handler, sent.request)).body


async def refused(url: str, keys: Keys, oracle: Oracle) -> list[tuple[Answer, Sent]]:
    """Return how a request of each kind is refused, and the request.

    A commit that failed may have made the file longer before, and in that room later ones are kept: the oracle is told.
    """
    made = kinds(keys, size=20)
    found = []
    for place, make in enumerate(made):
        for attempt in range(MAX_KEPT):
            sent = make(10**9 + place + attempt * len(made))
            answer = await ask(url, sent.raw)
            if answer.status >= 300:
                break
            oracle.answered(sent, answer)
        found.append((answer, sent))
    return found
