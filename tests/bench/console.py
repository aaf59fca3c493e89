"""The console beside a gateway: what it costs while it is open, what both take at rest, how soon its overview opens."""

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import AnyStr
from urllib.parse import urlencode

import attrs

from tests.bench.loader import Loader, check
from tests.bench.servers import ROOT, BenchFailed, Contestant, free_port, gateway, gateway_command, started
from tests.bench.slices import Slice
from tests.bench.spread import Spread, spread
from tests.bench.traffic import Scenario

ROUNDS = 7
SECONDS = 4.0
OPENED = 5  # times each span
SPANS = ("hour", "day", "month")
SETTLE_SECONDS = 5.0
START_SECONDS = 30.0


@attrs.frozen
class Watched:
    """One gateway by round, without a console and with one that is open (overview and live) beside a tail.

    The CPU is that of the gateway alone. `memory` is that of another gateway at rest and of the console that it
    started, in bytes, after the overview was opened once.
    """

    alone: Mapping[int, Slice]
    watched: Mapping[int, Slice]
    memory: int


@attrs.frozen
class Opening:
    """Seconds until the overview of a store of so many events was there: `first` right after the start, and later."""

    events: int
    first: float
    later: Spread


def watch(
    load: Loader, contestant: Contestant, scenario: Scenario, folder: Path, told: Callable[[str], None]
) -> Watched:
    """Load a gateway in alternating rounds. Raises BenchFailed."""
    slices: dict[bool, dict[int, Slice]] = {False: {}, True: {}}
    with started(contestant, folder) as running:
        load.send(running, scenario, SECONDS / 4)  # the first requests find cold caches; not measured
        token = gateway("admin-token", "--data", str(running.data))
        for number in range(ROUNDS):
            for is_open in (number % 2 == 0, number % 2 != 0):
                told(f"round {number + 1} of {ROUNDS}")
                with _open(running.data, token) if is_open else contextlib.nullcontext():
                    slices[is_open][number] = load.send(running, scenario, SECONDS)
        check(load, running)
    return Watched(slices[False], slices[True], _at_rest(contestant, folder))


def opening(data: Path, events: int) -> Opening:
    """Open the overview of a data directory again and again, as a browser does. Raises BenchFailed."""
    token = gateway("admin-token", "--data", str(data))
    with _console(data) as port:
        cookie = _login(port, token)
        seconds = [_page(port, f"/overview?span={span}", cookie) for _ in range(OPENED) for span in SPANS]
    return Opening(events, seconds[0], spread(seconds[1:]))


def _at_rest(contestant: Contestant, folder: Path) -> int:
    """Return the memory of a gateway that has started its console."""
    port = free_port()
    command: Callable[[Path, int], Sequence[str]] = lambda data, its: [  # noqa: E731
        *[word for word in contestant.command(data, its) if word != "--no-console"], "--console", f"127.0.0.1:{port}"
    ]  # fmt: skip
    data = folder / "at-rest"
    contestant.prepare(data)
    token = gateway("admin-token", "--data", str(data))  # before the console runs, which finds a new one a little later
    with started(attrs.evolve(contestant, name="console", command=command), folder, data) as running:
        _wait(port)
        _page(port, "/overview", _login(port, token))
        time.sleep(SETTLE_SECONDS)
        return running.memory_bytes()


@contextlib.contextmanager
def _open(data: Path, token: str) -> Iterator[None]:
    """Have a console, somebody who watches it, and a tail, as long as the block lasts."""
    tail = [*gateway_command(), "events", "tail", "--data", str(data), "--short"]
    with (
        _console(data) as port,
        _ended(subprocess.Popen(tail, cwd=ROOT, stdout=subprocess.DEVNULL)),
        _ended(
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.watcher", f"http://127.0.0.1:{port}"],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        ) as watcher,
    ):  # fmt: skip
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        watcher.stdin.write(f"{token}\n")
        watcher.stdin.flush()
        if not watcher.stdout.readline():
            raise BenchFailed("the console does not answer who watches it")
        yield


@contextlib.contextmanager
def _console(data: Path) -> Iterator[int]:
    """Run a console alone on a data directory; yield its port."""
    port = free_port()
    command = [*gateway_command(), "console", "--data", str(data), "--port", str(port)]
    with _ended(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)):
        _wait(port)
        yield port


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[AnyStr]") -> "Iterator[subprocess.Popen[AnyStr]]":
    """End a process with the block."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if _ask(port, "GET", "/login")[0] == 200:
                return
        time.sleep(0.05)
    raise BenchFailed("the console did not start")


def _login(port: int, token: str) -> str:
    status, headers, _ = _ask(port, "POST", "/login", urlencode({"token": token}))
    if status != 303:
        raise BenchFailed(f"the console answered a login {status}")
    return headers.get("Set-Cookie", "").partition(";")[0]


def _page(port: int, path: str, cookie: str) -> float:
    before = time.perf_counter()
    status, _, body = _ask(port, "GET", path, cookie=cookie)
    took = time.perf_counter() - before
    if status != 200 or b"</html>" not in body:
        raise BenchFailed(f"{path} was answered {status}")
    return took


def _ask(
    port: int, method: str, path: str, form: str | None = None, cookie: str = ""
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    headers = {"Cookie": cookie} if cookie else {}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, form, headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body
