"""Erasing one person from a large log: how long the command takes, beside a server and without one."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import attrs
from rich.console import Console

from gateway.clock import now
from gateway.datadir import make
from gateway.dialect import Event, from_millis
from gateway.dialect.event import encode, stamped
from gateway.storage.contract import Entry, EventRow
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from tests.bench import tables
from tests.bench.servers import BenchFailed, Contestant, gateway, started
from tests.bench.spread import Spread, spread

A_PERSON = 100  # events that each person has, all over the log
GROUP = 2000  # events of a commit
TRIES = 5
TOLD = 500_000


@attrs.frozen
class Erased:
    """How long it took to erase one person of A_PERSON events from so many, in seconds, with the command's start."""

    events: int
    served: Spread
    alone: Spread
    dry: Spread


def measure(contestant: Contestant, events: int, folder: Path, told: Callable[[str], None]) -> Erased:
    """Make such a log under a folder, and erase persons from it. Raises BenchFailed."""
    data = folder / "erasing"
    contestant.prepare(data)
    persons = max(1, events // A_PERSON)
    asyncio.run(_fill(data, events, persons, told))
    told("erasing without a server")
    dry = [_erase(data, 1, "--dry-run") for _ in range(TRIES)]
    alone = [_erase(data, number) for number in range(TRIES)]
    told("erasing beside a server")
    with started(contestant, folder, data):
        served = [_erase(data, number) for number in range(TRIES, 2 * TRIES)]
    return Erased(events, spread(served), spread(alone), spread(dry))


def show(console: Console, found: Erased) -> None:
    """Print what was measured."""
    rows = [
        (name, f"{each.middle:.2f} s", f"{each.low:.2f} - {each.high:.2f} s")
        for name, each in (
            ("beside a server", found.served),
            ("without a server", found.alone),
            ("--dry-run", found.dry),
        )
    ]
    title = f"Erase of one person ({A_PERSON} events) in {found.events:,} events"
    tables.show(console, tables.Table(title, ("gateway erase", "median", "range"), tuple(rows)))


async def _fill(data: Path, events: int, persons: int, told: Callable[[str], None]) -> None:
    store = open_store(f"sqlite:{data}")
    at = now() - 86_400_000
    before, between, after = _line(str(from_millis(at))).split(b"@")
    with make(data).lock():
        async with store.storage(StoreSettings()) as storage:
            for first in range(0, events, GROUP):
                rows = [
                    EventRow(before + b"%012d" % number + between + b"user_%09d" % (number % persons) + after)
                    for number in range(first, min(events, first + GROUP))
                ]
                await storage.append(
                    Entry(project="bench", dialect="databuddy", route="track", received_at=at, rows=tuple(rows))
                )
                if first // TOLD != (first + GROUP) // TOLD:
                    told(f"{first + GROUP:,} events stored")


def _line(time: str) -> bytes:
    """Return a line of about 450 bytes, with `@` where its number and its person go."""
    event = Event(
        type="track",
        name="purchase",
        timestamp=time,
        user_id="@",
        session_id="sess_1c9a7e52-3f0b-4f0e-8a57-5d1b9c64f002",
        properties={"total": 149.95, "shipping": {"method": "express", "days": 2}, "tags": ["returning"]},
        context={"page": {"url": "https://shop.example.com/checkout/complete", "title": "Thank you"}},
    )
    return encode(stamped(event, "bench", "databuddy", "m-@", time))


def _erase(data: Path, number: int, *options: str) -> float:
    person = f"user_{number:09d}"
    begun = time.perf_counter()
    told = gateway("erase", "--data", str(data), "--project", "bench", "--user-id", person, "--json", *options)
    took = time.perf_counter() - begun
    report = json.loads(told)
    if report["events"] != A_PERSON or report["left"]:
        raise BenchFailed(f"gateway erase says {told}")
    return took
