"""Restarts of a gateway whose socket somebody else holds, under clients that send all the time: who is refused."""

import asyncio
import socket
from pathlib import Path

import attrs
from rich.console import Console

from tests.bench import tables
from tests.bench.servers import BenchFailed, gateway
from tests.bench.spread import Spread, spread
from tests.kit.handing_over import Sender, holding

KEY = "trn_bench0123456789abcdef"
HEADERS = f"Authorization: Basic {KEY}\r\n"
BETWEEN = 1.0  # seconds that each gateway serves
FRESH = 8  # clients with a connection for each request, beside as many with one for all


@attrs.frozen
class Handover:
    """How many requests were sent over so many restarts, and how many got no 2xx.

    `stops` and `starts` are in seconds, as is `longest`, the time that one request took at most.
    """

    restarts: int
    sent: int
    refused: int
    stops: Spread
    starts: Spread
    longest: float


def measure(restarts: int, folder: Path) -> Handover:
    """Restart a gateway so many times. Raises BenchFailed when not each answered request is stored once."""
    data = folder / "handover"
    data.mkdir()
    gateway(
        *("keys", "add", "--data", str(data), "--project", "bench", "--dialect", "tranthor", "--kind", "write_key"),
        *("--value", KEY),
    )
    found, answered = asyncio.run(_measure(restarts, data, folder / "handover.log"))
    stored = int(gateway("events", "count", "--data", str(data)))
    if not answered <= stored <= found.sent:
        raise BenchFailed(f"{stored} events are stored, of {answered} that were acknowledged")
    return found


async def _measure(restarts: int, data: Path, log: Path) -> tuple[Handover, int]:
    loop = asyncio.get_running_loop()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    sender = Sender(listener.getsockname(), "/api/public/apps/track", HEADERS, _event)
    stops, starts = [], []
    async with holding(listener, log, "--data", str(data), "--no-console") as holder:
        await holder.start()
        ways = [sender.fresh(f"fresh {each}") for each in range(FRESH)]
        ways += [sender.kept(f"kept {each}") for each in range(FRESH)]
        clients = [asyncio.create_task(each) for each in ways]
        for _ in range(restarts):
            await asyncio.sleep(BETWEEN)
            began = loop.time()
            await holder.stop()
            stopped = loop.time()
            await holder.start()
            stops.append(stopped - began)
            starts.append(loop.time() - stopped)
        await asyncio.sleep(BETWEEN)
        sender.going_on = False
        await asyncio.gather(*clients)
        await holder.stop()
    answered = sum(count for status, count in sender.answers.items() if isinstance(status, int) and status < 300)
    refused = sender.sent - answered
    return Handover(restarts, sender.sent, refused, spread(stops), spread(starts), sender.lengthiest), answered


def _event(name: str) -> dict[str, object]:
    return {"messageId": name, "userId": "user-1", "event": "Signed Up"}


def show(console: Console, found: Handover) -> None:
    """Print what was measured."""
    rows = (
        ("requests refused", str(found.refused), f"of {found.sent:,}"),
        ("the longest request", f"{found.longest:.2f} s", ""),
        *(
            (name, f"{each.middle:.2f} s", f"{each.low:.2f} - {each.high:.2f} s")
            for name, each in (("a stop", found.stops), ("a start", found.starts))
        ),
    )
    title = f"{found.restarts} restarts on a socket that is handed over"
    tables.show(console, tables.Table(title, ("restart", "measured", "half within"), rows))
