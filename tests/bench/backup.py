"""Backups beside a gateway: how fast they are made while it serves, and what that costs its answers."""

import asyncio
import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs

from gateway.clock import now
from tests.bench.days import DAY, DAYS, STEP, fill
from tests.bench.loader import Loader
from tests.bench.servers import ROOT, BenchFailed, Contestant, gateway_command, started
from tests.bench.slices import Slice
from tests.bench.spread import Spread, spread
from tests.bench.traffic import Scenario

EVENTS = 400_000
ROUNDS = 5
SECONDS = 10.0


@attrs.frozen
class BackedUp:
    """One gateway by round, alone and beside backups that are made one after the other.

    The speeds are in megabytes of events.db a second: `speed` beside the load, `at_rest` without any. `size` is what
    that file had, `file` the size of a backup, both in bytes. `events` is how many were stored before.
    """

    events: int
    size: int
    file: int
    speed: Spread
    at_rest: float
    alone: Mapping[int, Slice]
    beside: Mapping[int, Slice]


def measure(
    load: Loader, contestant: Contestant, scenario: Scenario, folder: Path, told: Callable[[str], None]
) -> BackedUp:
    """Load a gateway that has stored much in alternating rounds. Raises BenchFailed."""
    data = folder / "backup"
    contestant.prepare(data)
    per_step = max(1, EVENTS * STEP // (DAYS * DAY))
    asyncio.run(fill(data, (now() // DAY - DAYS) * DAY, per_step, told))
    events, size = per_step * (DAYS * DAY // STEP), (data / "events.db").stat().st_size
    slices: dict[bool, dict[int, Slice]] = {False: {}, True: {}}
    made = _Made(data, folder / "made.tar")
    told("at rest")
    before = time.perf_counter()
    with made.started() as process:
        if process.wait() != 0:
            raise BenchFailed("the backup failed")
    at_rest, file = size / 1e6 / (time.perf_counter() - before), made.target.stat().st_size
    with started(contestant, folder, data) as running:
        load.send(running, scenario, SECONDS / 10)  # the first requests find cold caches; not measured
        for number in range(ROUNDS):
            for is_beside in (number % 2 == 0, number % 2 != 0):
                told(f"round {number + 1} of {ROUNDS}")
                with made.again_and_again() if is_beside else contextlib.nullcontext():
                    slices[is_beside][number] = load.send(running, scenario, SECONDS)
        stored, expected = running.count(), events + load.acknowledged[running.port]
    if stored != expected:
        raise BenchFailed(f"{expected} events were acknowledged or there before, and {stored} are stored")
    speed = spread([written / file * size / 1e6 / seconds for written, seconds in made.rounds])
    return BackedUp(events, size, file, speed, at_rest, slices[False], slices[True])


@attrs.define
class _Made:
    """Backups of a data directory: in each round so many bytes of them were written in so many seconds."""

    data: Path
    target: Path
    rounds: list[tuple[int, float]] = attrs.field(factory=list)

    @contextlib.contextmanager
    def again_and_again(self) -> Iterator[None]:
        """Make one after the other as long as the block lasts; the one that it ends in is killed."""
        ended = threading.Event()
        thread = threading.Thread(target=self._make, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @contextlib.contextmanager
    def started(self) -> "Iterator[subprocess.Popen[bytes]]":
        """Begin one, and kill it at the end of the block if it still runs."""
        self.target.unlink(missing_ok=True)
        command = [*gateway_command(), "backup", "create", "--data", str(self.data), "--to", str(self.target)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    def _make(self, ended: threading.Event) -> None:
        part = self.target.with_name(f"{self.target.name}.part")
        written, before = 0, time.perf_counter()
        while not ended.is_set():
            with self.started() as process:
                while process.poll() is None and not ended.wait(0.01):
                    pass
                with contextlib.suppress(FileNotFoundError):
                    written += (part if process.poll() is None else self.target).stat().st_size
        self.rounds.append((written, time.perf_counter() - before))
