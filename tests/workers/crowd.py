"""Clients of a gateway with several processes: they send without end, go on after errors, and remember each yes."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import attrs

from tests.kit.serving import Served, add_key, serving

KEY = "trn_workers0123456789abcd"
SOON = 20.0


@contextmanager
def gateway(data: Path, *arguments: str, workers: int = 2) -> Iterator[Served]:
    """Run a gateway of several processes that knows the crowd's key; afterwards none of them may be left."""
    add_key(data, "tranthor", "write_key", KEY, project="default")
    with serving(data, "--workers", str(workers), *arguments) as served:
        pids = set(family(served.process.pid).values())
        yield served
        pids |= set(family(served.process.pid).values())
    gone(pids)


def family(pid: int) -> dict[str, int]:
    """The children of a gateway's main process by name: writer, HTTP worker 1, HTTP worker 2."""
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and (parts := stat(int(process.name))) and int(parts[1]) == pid:
            command = _command(process).split("\0")
            if "gateway.workers.child" in command:  # not one that ended, nor one that is only just being made
                found[command[-2]] = int(process.name)
    return found


def _command(process: Path) -> str:
    """Return a process's command line; it may be gone since it was looked at."""
    try:
        return (process / "cmdline").read_bytes().decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def stat(pid: int) -> list[str]:
    """What the kernel says of a process that lives, from its state on."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return parts


def gone(pids: Iterable[int], within: float = SOON) -> None:
    """Wait until none of the processes is left, nor a zombie that is the gateway's: orphans are for init to bury."""
    numbers = list(pids)
    until(lambda: all(parts[:2] in ([], ["Z", "1"]) for parts in map(stat, numbers)), within)


def until(holds: Callable[[], bool], within: float = SOON) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@attrs.define
class Crowd:
    """Sixteen clients, a connection each, events of their own; `yes` are the ids that were answered 2xx."""

    url: str
    session: aiohttp.ClientSession
    yes: set[str] = attrs.field(factory=set)
    statuses: Counter[int] = attrs.field(factory=Counter)
    retry_after: set[str | None] = attrs.field(factory=set)
    errors: int = 0
    going_on: bool = True
    _numbers: Iterator[int] = attrs.field(factory=lambda: iter(range(10_000_000)))

    async def send(self, *names: str) -> int:
        """Send events in one batch; return the status, 0 where the connection broke."""
        batch = {"batch": [{"type": "track", "messageId": name, "userId": "u", "event": "e"} for name in names]}
        try:
            async with self.session.post(
                f"{self.url}/api/public/apps/batch", json=batch, headers={"Authorization": f"Basic {KEY}"}
            ) as answer:
                await answer.read()
        except aiohttp.ClientError:
            self.errors += 1
            return 0
        self.statuses[answer.status] += 1
        if answer.status < 300:
            self.yes.update(names)
        elif answer.status == 503:
            self.retry_after.add(answer.headers.get("Retry-After"))
        return answer.status

    async def client(self) -> None:
        """Send three events at a time, each until it was taken, and none after the last answer."""
        for number in self._numbers:
            names = [f"{number}.{index}" for index in range(3)]
            while self.going_on and not 200 <= await self.send(*names) < 300:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            if not self.going_on:
                return

    async def metric(self, name: str, **labels: str) -> float:
        """One figure from whichever worker answers."""
        async with self.session.get(f"{self.url}/-/metrics", headers={"Connection": "close"}) as answer:
            text = await answer.text()
        named = ",".join([f'{key}="{value}"' for key, value in labels.items()])
        wanted = f"{name}{{{named}}} " if labels else f"{name} "
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(wanted))

    async def ready(self) -> bool:
        try:
            async with self.session.get(f"{self.url}/-/ready", headers={"Connection": "close"}) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def crowd(served: Served, clients: int = 16) -> AsyncIterator[Crowd]:
    """Load a gateway as long as this lasts; with no clients it only holds a session.

    At the end every client waits for its last answer: a request that is given up on the way may still be stored, while
    a test counts what is.
    """
    connector = aiohttp.TCPConnector(limit=0, force_close=not clients)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(10)) as session:
        found = Crowd(served.url, session)
        tasks = [asyncio.create_task(found.client()) for _ in range(clients)]
        try:
            yield found
        finally:
            found.going_on = False
            await asyncio.gather(*tasks)


async def more(found: Crowd, events: int, within: float = SOON) -> None:
    """Wait until so many more events were taken."""
    wanted = len(found.yes) + events
    async with asyncio.timeout(within):
        while len(found.yes) < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def stored(served: Served) -> Counter[str]:
    """How often each event is in the log, by its id."""
    return Counter(str(event["message_id"]) for event in served.events())
