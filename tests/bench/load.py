"""The load generator: closed-loop keep-alive connections to loopback, on a core of its own if there are two.

It runs as a process that takes one job a line (JSON) on its input and gives one result a line on its output:
`python -m tests.bench.load [CORE]`. Each connection first sends one request that is not measured: what it costs to
accept a connection would weigh more in a short slice than in any server's day.
"""

import asyncio
import gc
import json
import os
import sys
import time
from typing import TypedDict

import uvloop

from tests.bench import procfs
from tests.bench.connections import PATIENCE, Connection, Run
from tests.bench.histogram import histogram
from tests.bench.slices import steady_rate

_PAUSE = 0.01
_QUIET = 0.05  # a server that uses less of its core than this has done what it put off
_LONGEST = 1.0


class Job(TypedDict):
    """What to send: `pieces` joined by each request's own twelve digits, from request number `first` on.

    `pid` is the server's, whose CPU is read at the very start of what is measured, and when it is quiet again after it.
    """

    port: int
    pid: int
    connections: int
    seconds: float
    most: int
    first: int
    pieces: list[str]


class Result(TypedDict):
    """What came of a job: CPU seconds of server and generator, latencies as a histogram, the first refusal seen.

    `later_cpu` is what the server still used after its last answer. `sent` counts the requests that were not measured
    too. `problem` says why the job broke off; empty where it did not.
    """

    sent: int
    requests: int
    seconds: float
    requests_per_second: float
    server_cpu: float
    later_cpu: float
    load_cpu: float
    others_cpu: float
    latencies: dict[str, int]
    statuses: dict[str, int]
    refusal: str
    problem: str


async def perform(job: Job) -> Result:
    """Send a job's requests and return what came of them."""
    run = Run(job["pieces"], job["first"])
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: Connection(run), "127.0.0.1", job["port"]))
        for _ in range(job["connections"])
    ]
    connections = [connection for _, connection in opened]
    clocks = procfs.cpu_clocks(job["pid"])
    problem = ""
    busy, server, own, started = 0.0, 0.0, 0.0, time.perf_counter()
    try:
        await run.phase(connections, len(connections), PATIENCE)
        busy, server, own = procfs.busy_seconds(), procfs.cpu_seconds(clocks), time.process_time()
        started = time.perf_counter()
        await run.phase(connections, job["most"], job["seconds"])
    except TimeoutError:
        problem = f"{run.busy} connections got no answer within {PATIENCE:.0f} s of the end"
    except ConnectionError as error:
        problem = str(error)
    ended, own = time.perf_counter(), time.process_time() - own
    answered, busy = procfs.cpu_seconds(clocks), procfs.busy_seconds() - busy
    quiet = await _quiet(clocks)
    for transport, _ in opened:
        transport.close()
    return {
        "sent": run.number - job["first"],
        "requests": len(run.times),
        "seconds": ended - started,
        "requests_per_second": steady_rate(run.times, len(connections), started, run.deadline),
        "server_cpu": answered - server,
        "later_cpu": quiet - answered,
        "load_cpu": own,
        "others_cpu": busy - (answered - server) - own,
        "latencies": {str(bucket): count for bucket, count in histogram(run.latencies).items()},
        "statuses": {status.decode("ascii"): count for status, count in run.statuses.items()},
        "refusal": run.refusal,
        "problem": problem,
    }


async def _quiet(clocks: list[int]) -> float:
    """Wait until the server is, and return its CPU by then: what it does behind its answers is part of their price."""
    deadline = time.perf_counter() + _LONGEST
    used = procfs.cpu_seconds(clocks)
    while time.perf_counter() < deadline:
        await asyncio.sleep(_PAUSE)
        before, used = used, procfs.cpu_seconds(clocks)
        if used - before < _QUIET * _PAUSE:
            break
    return used


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
