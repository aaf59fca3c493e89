"""Starts what is measured as a subprocess on a free port, waits until it serves, asks what it used, stops it."""

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs

from tests.bench import procfs
from tests.bench.traffic import CREDENTIALS

ROOT = Path(__file__).parents[2]
START_SECONDS = 20.0
STOP_SECONDS = 30.0


class BenchFailed(Exception):
    """The figures cannot be trusted, or there are none; the message says why in one line."""


@attrs.frozen
class Contestant:
    """One thing to measure. `command` makes its command line from a data directory and a port.

    `prepare` readies the data directory. `is_durable` says that `gateway events count` must agree with what was
    acknowledged. `cores` are those that it may use, all of them where it is empty. One that `is_slow` takes seconds for
    what the others do in milliseconds, and is measured less often, for longer. `place` are the options that tell
    commands where its events are.
    """

    name: str
    command: Callable[[Path, int], Sequence[str]]
    prepare: Callable[[Path], None] = lambda _data: None
    is_durable: bool = False
    is_slow: bool = False
    cores: frozenset[int] = frozenset()
    place: Callable[[Path], Sequence[str]] = lambda data: ("--data", str(data))


@attrs.frozen
class Running:
    """A contestant that answers on its port."""

    contestant: Contestant
    port: int
    data: Path
    pid: int

    def kill(self) -> None:
        """Kill it, so that it has no chance to end well, and wait until it is dead."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def memory_bytes(self) -> int:
        """Return the memory of all its processes."""
        return procfs.memory_bytes(self.pid)

    def disk_bytes(self) -> int:
        """Return the size of its data directory, the write-ahead log left out."""
        files = [file for file in self.data.rglob("*") if file.is_file() and not file.name.endswith(("-wal", "-shm"))]
        return sum(file.stat().st_size for file in files)

    def count(self) -> int:
        """Return how many events it has stored."""
        return int(gateway("events", "count", *self.contestant.place(self.data)))


@contextlib.contextmanager
def started(contestant: Contestant, folder: Path, data: Path | None = None) -> Iterator[Running]:
    """Run a contestant as long as the context lasts, in a new directory under `folder` or on `data`. BenchFailed."""
    if data is None:
        data = Path(tempfile.mkdtemp(prefix=f"{contestant.name}-", dir=folder))
        contestant.prepare(data)
    port = free_port()
    log = data.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            contestant.command(data, port), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    if contestant.cores:
        os.sched_setaffinity(process.pid, contestant.cores)
    try:
        _wait(contestant, process, port, log)
        yield Running(contestant, port, data, process.pid)
        if process.poll() not in (None, -signal.SIGKILL):
            raise BenchFailed(f"{contestant.name} ended by itself: {_tail(log)}")
    finally:
        _stop(process)


def gateway_command() -> list[str]:
    """Return the `gateway` command of this environment."""
    script = Path(sys.executable).with_name("gateway")
    return [str(script)] if script.exists() else [sys.executable, "-m", "gateway"]


def gateway(*arguments: str) -> str:
    """Run a gateway command and return what it printed. Raises BenchFailed."""
    done = subprocess.run([*gateway_command(), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailed(f"gateway {' '.join(arguments[:2])} exited {done.returncode}: {_last_line(done.stderr)}")
    return done.stdout.strip()


def contestants(workers: int, cores: frozenset[int]) -> list[Contestant]:
    """Return what can be measured here, the bare handler first; with more workers, a gateway on every core too."""
    found = [
        Contestant("bare", lambda _data, port: [sys.executable, "-m", "tests.bench.bare", str(port)], cores=cores),
        Contestant(
            "null", lambda _data, port: [sys.executable, "-m", "tests.bench.null_store", str(port)], cores=cores
        ),
        Contestant("gateway", _serve(1), add_keys, is_durable=True, cores=cores),
    ]
    if workers > 1:
        found.append(Contestant(f"gateway x{workers}", _serve(workers), add_keys, is_durable=True))
    if all(importlib.util.find_spec(name) for name in ("fastapi", "sqlalchemy", "uvicorn")):
        found.append(Contestant("fastapi", _fastapi, is_slow=True, cores=cores))
    return found


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(workers: int) -> Callable[[Path, int], list[str]]:
    extra = ["--workers", str(workers)] if workers > 1 else []
    return lambda data, port: [
        *gateway_command(), "serve", "--data", str(data), "--host", "127.0.0.1", "--port", str(port),
        "--no-console", *extra,
    ]  # fmt: skip


def _fastapi(data: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "tests.bench.fastapi_service", str(data / "events.db"), str(port)]


def add_keys(data: Path, place: Sequence[str] = ()) -> None:
    """Add the credentials of all scenarios to a data directory, or where the options of `place` say."""
    data.mkdir(exist_ok=True)
    for dialect, kind, value in CREDENTIALS:
        gateway(
            "keys", "add", *(place or ("--data", str(data))), "--project", "bench",
            "--dialect", dialect, "--kind", kind, "--value", value,
        )  # fmt: skip


def _wait(contestant: Contestant, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise BenchFailed(f"{contestant.name} did not start: {_tail(log)}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path) -> str:
    return _last_line(log.read_text("utf-8", "replace"))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
