"""How slow this machine is, by what the bare aiohttp handler of the benchmark takes here. Measured once a process."""

import contextlib
import functools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench.procfs import cpu_clocks, cpu_seconds

REFERENCE = 31e-6  # seconds of CPU for a bare request, on the machine for which bounds of time are stated
ROUNDS = 5
REQUESTS = 480  # a round
AT_ONCE = 24
PATIENCE = 30.0
BODY = b'{"name":"seen","properties":{"a":1}}'
REQUEST = b"POST /track HTTP/1.1\r\nHost: bare\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


@functools.cache
def slowness() -> float:
    """Return how many times as long as on the reference machine a bare request takes here; at least 1."""
    return max(1.0, _bare_request() / REFERENCE)


def _bare_request() -> float:
    """Return the CPU of one request to the bare handler in seconds: the least of several rounds."""
    with _bare_server() as (pid, port), contextlib.ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(AT_ONCE)]
        clocks = cpu_clocks(pid)
        rounds = []
        for _ in range(ROUNDS):
            before = cpu_seconds(clocks)
            for _ in range(REQUESTS // AT_ONCE):
                for client in clients:
                    client.sendall(REQUEST)
                for client in clients:
                    assert client.recv(4096).startswith(b"HTTP/1.1 200")
            rounds.append((cpu_seconds(clocks) - before) / REQUESTS)
        return min(rounds)


@contextlib.contextmanager
def _bare_server() -> Iterator[tuple[int, int]]:
    """Run the bare handler; yields its process and port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bare", str(port)])
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "the bare server does not listen"
                time.sleep(0.02)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(PATIENCE)
