"""A log of many days: how long `events export` takes for one of them, and how soon `events tail` prints what is new."""

import asyncio
import http.client
import json
import os
import random
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from gateway.clock import now
from gateway.datadir import make
from gateway.dialect import Event, from_millis
from gateway.dialect.event import encode, stamped
from gateway.storage.contract import Entry, EventRow
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from tests.bench.servers import ROOT, BenchFailed, Contestant, Running, gateway_command, started
from tests.bench.spread import Spread, spread
from tests.bench.traffic import DATABUDDY_KEY

DAYS = 100
DAY, STEP = 86_400_000, 600_000  # milliseconds; the events of a step are one commit
ASKED = 50  # the day that is exported, from the first
NAMES = 20
EXPORTS = 7
SENT = 40  # requests whose lines are waited for
LINE_SECONDS = 20.0
TOLD = 500_000  # events


@attrs.frozen
class Days:
    """What was read of a log of so many events in DAYS days. Times are in seconds.

    `day` is how long an export of the `found` events of one day took, `named` one of the events of a name in it. `lag`
    is the time from an answer to the line of its event.
    """

    events: int
    found: int
    day: Spread
    named: Spread
    lag: Spread


def measure(contestant: Contestant, events: int, folder: Path, told: Callable[[str], None]) -> Days:
    """Make such a log under a folder, and read it while a gateway runs on it. Raises BenchFailed."""
    data = folder / "days"
    contestant.prepare(data)
    start = (now() // DAY - DAYS) * DAY
    per_step = max(1, events * STEP // (DAYS * DAY))
    asyncio.run(fill(data, start, per_step, told))
    first = start + ASKED * DAY
    day = ("--since", str(from_millis(first)), "--before", str(from_millis(first + DAY)))
    found = per_step * (DAY // STEP)
    told("exporting a day")
    whole = [_export(data, found, *day) for _ in range(EXPORTS)]
    named = [_export(data, len(range(7, found, NAMES)), *day, "--name", "name 7") for _ in range(EXPORTS)]
    told("following")
    with started(contestant, folder, data) as running:
        lag = _lag(running)
    return Days(per_step * (DAYS * DAY // STEP), found, spread(whole), spread(named), spread(lag))


async def fill(data: Path, start: int, per_step: int, told: Callable[[str], None]) -> None:
    """Store a log of DAYS days from a time on, with so many events in each step."""
    store = open_store(f"sqlite:{data}")
    lines = [_line(f"name {number}").split(b"@") for number in range(NAMES)]
    stored = 0
    with make(data).lock():
        async with store.storage(StoreSettings()) as storage:
            for step in range(DAYS * DAY // STEP):
                at = start + step * STEP
                time = str(from_millis(at)).encode()
                first = step * per_step
                rows = [
                    EventRow(before + b"%012d" % number + between + time + after)
                    for number in range(first, first + per_step)
                    for before, between, after in [lines[number % NAMES]]
                ]
                await storage.append(
                    Entry(project="bench", dialect="databuddy", route="track", received_at=at, rows=tuple(rows))
                )
                if stored // TOLD != (stored + per_step) // TOLD:
                    told(f"{stored + per_step:,} events stored")
                stored += per_step


def _line(name: str) -> bytes:
    """Return a line of about 700 bytes, with `@` where its own digits and the time go."""
    event = Event(
        type="track",
        name=name,
        timestamp="2026-01-02T03:04:05.678Z",
        anonymous_id="anon_9b2f6c1e-7f43-4c55-9d0a-0e6b1e1d7a11",
        session_id="sess_1c9a7e52-3f0b-4f0e-8a57-5d1b9c64f002",
        properties={
            "order_id": "ord_20260102_000123",
            "total": 149.95,
            "shipping": {"method": "express", "days": 2, "free": False},
            "tags": ["returning", "newsletter"],
        },
        context={
            "page": {"url": "https://shop.example.com/checkout/complete", "title": "Thank you"},
            "library": {"name": "web", "version": "2.3.3"},
        },
    )
    return encode(stamped(event, "bench", "databuddy", "m-@", "@"))


def _export(data: Path, expected: int, *conditions: str) -> float:
    """Return the seconds of one export, from the start of the command to its end."""
    command = [*gateway_command(), "events", "export", "--data", str(data), *conditions]
    before = time.perf_counter()
    lines = 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        while chunk := process.stdout.read(1 << 20):
            lines += chunk.count(b"\n")
    took = time.perf_counter() - before
    if process.returncode != 0 or lines != expected:
        raise BenchFailed(f"events export exited {process.returncode} with {lines} lines of {expected}")
    return took


def _lag(running: Running) -> list[float]:
    """Send events one by one, and return how long after its answer the line of each was there."""
    chance = random.Random(1)
    with _following(running.data) as printed:
        number = 0
        while not select.select([printed], [], [], 0.5)[0]:  # until it has started
            _send(running.port, number)
            number += 1
        time.sleep(1)
        _read(printed)
        lags = []
        for _ in range(SENT):
            time.sleep(chance.random() / 2)
            _send(running.port, number)
            answered = time.perf_counter()
            number += 1
            if not select.select([printed], [], [], LINE_SECONDS)[0]:
                raise BenchFailed("events tail does not print what was answered")
            lags.append(max(0.0, time.perf_counter() - answered))
            _read(printed)
        return lags


@contextmanager
def _following(data: Path) -> Iterator[int]:
    command = [*gateway_command(), "events", "tail", "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.fileno()
        finally:
            process.kill()


def _read(printed: int) -> None:
    os.read(printed, 1 << 20)


def _send(port: int, number: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LINE_SECONDS)
    body = json.dumps({"name": "lag", "eventId": f"lag-{number}"})
    headers = {"Authorization": f"Bearer {DATABUDDY_KEY}", "Content-Type": "application/json"}
    connection.request("POST", "/track", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise BenchFailed(f"an event was answered {answer.status}")
