"""The load generator: closed-loop keep-alive connections to loopback, on a core of its own if there are two.

It runs as a process that takes one job a line (JSON) on its input and gives one result a line on its output:
`python -m tests.bench.load [CORE]`. A request costs it one splice, one write and one scan of the answer's head.
"""

import asyncio
import gc
import json
import os
import re
import sys
import time
from array import array
from collections import Counter
from typing import TypedDict, cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_NO_BODY = (b"204", b"304")
_SUCCESS = ord("2")
_SPREAD = 0x9E3779B97F4A7C15 | 1  # odd, so that multiplying by it visits every id once, in no order
_MASK = (1 << 48) - 1
_PATIENCE = 30.0


class Job(TypedDict):
    """What to send: `pieces` joined by each request's own twelve digits, from request number `first` on."""

    port: int
    connections: int
    seconds: float
    most: int
    first: int
    pieces: list[str]


class Result(TypedDict):
    """What came of a job: p50 and p99 in microseconds, the generator's own CPU seconds, the first refusal seen.

    `problem` says why the job broke off; empty where it did not.
    """

    requests: int
    seconds: float
    statuses: dict[str, int]
    p50: float
    p99: float
    cpu: float
    refusal: str
    problem: str


class _Run:
    def __init__(self, job: Job) -> None:
        self.pieces = [piece.encode("ascii") for piece in job["pieces"]]
        self.number = job["first"]
        self.last = job["first"] + job["most"]
        self.deadline = 0.0
        self.seconds = job["seconds"]
        self.latencies = array("d")
        self.statuses: Counter[bytes] = Counter()
        self.refusal = ""
        self.busy = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        """Return the next request, or None when the time or the count is up."""
        if self.number >= self.last or time.perf_counter() >= self.deadline:
            return None
        self.number += 1
        return (b"%012x" % ((self.number * _SPREAD) & _MASK)).join(self.pieces)

    def fail(self, problem: str) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(problem))


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._sent = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without saying so

    def send(self) -> None:
        run, transport = self._run, self._transport
        assert transport is not None
        request = run.next_request()
        if request is None:
            run.busy -= 1
            if run.busy == 0 and not run.done.done():
                run.done.set_result(None)
            return
        self._sent = time.perf_counter()
        transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        status = data[9:12]
        whole = end + 4
        if status not in _NO_BODY:
            length = _LENGTH.search(data, 0, end + 2)
            if length is None:
                self._run.fail(f"an answer without Content-Length: {data[:200]!r}")
                return
            whole += int(length[1])
        if len(data) < whole:
            self._buffer = data
            return
        self._buffer = b""
        run = self._run
        run.latencies.append(time.perf_counter() - self._sent)
        run.statuses[status] += 1
        if status[0] != _SUCCESS and not run.refusal:
            run.refusal = data[:400].decode("latin-1")
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.fail(f"the server closed a connection: {exc}")


async def perform(job: Job) -> Result:
    """Send a job's requests and return what came of them."""
    run = _Run(job)
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: _Connection(run), "127.0.0.1", job["port"]))
        for _ in range(job["connections"])
    ]
    cpu = time.process_time()
    started = time.perf_counter()
    run.deadline = started + run.seconds
    run.busy = len(connections)
    for _, connection in connections:
        connection.send()
    problem = ""
    try:
        await asyncio.wait_for(run.done, run.seconds + _PATIENCE)
    except TimeoutError:
        problem = f"{run.busy} connections got no answer within {_PATIENCE:.0f} s of the end"
    except ConnectionError as error:
        problem = str(error)
    seconds = time.perf_counter() - started
    cpu = time.process_time() - cpu
    for transport, _ in connections:
        transport.close()
    latencies = sorted(run.latencies) or [0.0]
    return {
        "requests": len(run.latencies),
        "seconds": seconds,
        "statuses": {status.decode("ascii"): count for status, count in run.statuses.items()},
        "p50": latencies[len(latencies) // 2] * 1e6,
        "p99": latencies[len(latencies) * 99 // 100] * 1e6,
        "cpu": cpu,
        "refusal": run.refusal,
        "problem": problem,
    }


def main() -> None:
    """Perform the jobs on standard input, one a line."""
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    gc.disable()
    for line in sys.stdin:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(perform(json.loads(line)))
        gc.collect()
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
