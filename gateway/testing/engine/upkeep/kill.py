"""What is promised of a kill -9 at any moment: what was acknowledged is there, once, and nothing in halves."""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import attrs

from gateway.storage.contract import Appended, AppendStatus, Entry
from gateway.storage.engines import open_store
from gateway.storage.store import Store, StoreSettings
from gateway.testing.check import Cost
from gateway.testing.engine.expect import equal, holds, none_of
from gateway.testing.engine.given.entries import row
from gateway.testing.engine.given.reading import events_of, totals
from gateway.testing.engine.promise import Family
from gateway.testing.engine.under_test import EngineUnderTest

LIVES = 3
LONGEST = 0.4
"""Seconds that a writer lives after its first answer, at most."""
WRITER = "gateway.testing.engine.killed_writer"


@attrs.frozen
class Killed:
    """A store by its URL, to which other processes write."""

    url: str
    store: Store


@asynccontextmanager
async def opened(engine: EngineUnderTest) -> AsyncIterator[Killed]:
    """Open an empty store of an engine."""
    with engine.empty() as url:
        store = open_store(url)
        await store.prepare()
        yield Killed(url, store)


FAMILY = Family("kill", opened, Cost.PROCESS)


def acknowledged(command: Sequence[str], seconds: float) -> list[str]:
    """Run a writer until a while after its first answer, kill it, and return what it had said yes to."""
    with subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE) as child:  # noqa: S603 (our own)
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        lines = (first + child.stdout.read()).decode().split("\n")
    # What comes after the last line's end was cut off by the kill.
    return lines[:-1]


def lived(lives: int, command: Callable[[int], Sequence[str]]) -> list[str]:
    """Let several writers live one after the other, each for another time; return what was acknowledged."""
    moments = random.Random(20240229)
    return [name for life in range(lives) for name in acknowledged(command(life), moments.uniform(0.0, LONGEST))]


def whole(names: Sequence[str], promised: Sequence[str]) -> None:
    """Expect that events are there once, all that was acknowledged among them, and both events of each request."""
    found = Counter(names)
    lost = [each for name in promised for each in (name, f"{name} keyless") if found[each] != 1]
    none_of(lost, "what was acknowledged and is lost, or is there more than once")
    none_of([name for name, count in found.items() if count > 1], "events that are there more than once")
    keyless = {name.removesuffix(" keyless") for name in found if name.endswith(" keyless")}
    halves = {name for name in found if not name.endswith(" keyless")} ^ keyless
    none_of(sorted(halves), "requests of which one event is there, and the other is lost")


@FAMILY.promise(
    "answer an entry after its commit is on disk, never before it; commit its rows, keys, receipt and counters in one "
    "transaction; open a store that was killed as it is"
)
async def what_was_acknowledged_outlives_a_kill_and_its_retry_is_a_duplicate(killed: Killed) -> None:
    promised = await asyncio.to_thread(lived, LIVES, lambda life: (WRITER, killed.url, str(life)))
    holds(len(promised) >= LIVES)
    names = [json.loads(line)["name"] for _, line in await events_of(killed.store)]
    whole(names, promised)
    equal(await totals(killed.store), {"received": len(names), "stored": len(names), "duplicate": 0, "quarantined": 0})
    async with killed.store.storage(StoreSettings()) as storage:
        retries = [storage.append(Entry("p", "toy", "track", 1, (row(name),))) for name in promised]
        equal(await asyncio.gather(*retries), [Appended(AppendStatus.NEW, duplicates=(0,))] * len(promised))
