"""The picture of the console in the README: `python -m tests.console.picture` takes docs/console.png anew.

It shows the last hour of a shop that nobody has. The numbers are the same at each run, but for the time of day.
"""

import asyncio
import json
import math
import random
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from gateway.datadir import make
from gateway.dialect import Reason, Refusal
from gateway.dialect.timestamps import from_millis
from gateway.ingest.registry import discover
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import outcomes_of
from gateway.testing.engine.given.rejections import rejection
from tests.console.chromium import Chromium, running
from tests.console.processes import LINK
from tests.kit.serving import serving

PICTURE = Path(__file__).parents[2] / "docs" / "console.png"
SIZE = (1280, 860)
MINUTES = 60
RATES = {"databuddy": 46, "tranthor": 30, "appizer": 17, "browsee": 9}
"""Events a minute."""
NAMES = ("Page Viewed", "Product Viewed", "Product Added", "Checkout Started", "Order Completed", "Signed Up")
MISTAKES = ((Reason.ORIGIN, 14), (Reason.REVOKED_CREDENTIAL, 6), (Reason.INVALID, 3))
"""Why requests were rejected, and how many."""
FAULT = json.dumps([{"code": "missing", "pointer": "/event", "detail": {}}]).encode()


def entries(now: int) -> Iterator[Entry]:
    """Yield what came in the last hour, in its order."""
    chance = random.Random(8)
    for minute in range(MINUTES):
        at = now - (MINUTES - 1 - minute) * 60_000
        for number, (dialect, rate) in enumerate(RATES.items()):
            swing = 1 + 0.35 * math.sin(minute / 9 + number) + 0.25 * (chance.random() - 0.5)
            rows = [_row(dialect, chance.choice(NAMES), at, f"{minute}-{number}-{n}") for n in range(int(rate * swing))]
            held = _held(f"{minute}-{number}") if minute % 9 == 4 and number == 1 else ()
            yield Entry(
                "shop", dialect, "track", at, tuple(rows), held, outcomes=outcomes_of(rows, held) if held else ()
            )


def _row(dialect: str, name: str, at: int, key: str) -> EventRow:
    moment = from_millis(at)
    event: dict[str, object] = {"message_id": key, "project": "shop", "dialect": dialect, "type": "track", "name": name}
    event |= {"user_id": f"u-{ord(key[-1]) % 10}", "received_at": moment, "timestamp": moment}
    return EventRow(json.dumps(event).encode(), key.rjust(16).encode())


def _held(key: str) -> tuple[QuarantinedItem, ...]:
    return tuple(QuarantinedItem(f"{key}-q{n}", FAULT, b"{}", f"{key}-q{n}".rjust(16).encode()) for n in range(2))


async def fill(data: Path) -> None:
    """Make a data directory with all of it."""
    now = time.time_ns() // 1_000_000
    store = open_store(f"sqlite:{make(data).path}")
    with make(data).lock():
        await store.prepare()
        async with store.storage(StoreSettings()) as storage:
            for each in entries(now):
                await storage.append(each)
        log = store.rejected_log(StoreSettings())
        dialect = next(each for each in discover() if each.name == "databuddy")
        async with log.running():
            for reason, count in MISTAKES:
                for number in range(count):
                    refusal = Refusal(reason, project="shop", admitted=False)
                    one = rejection("shop", received_at=now - number * 90_000, path="/track")
                    log.add(attrs.evolve(one, dialect=dialect, refusal=refusal))


def take(chromium: Chromium, folder: Path, picture: Path) -> None:
    """Take the picture; `folder` is for the data directory."""
    asyncio.run(fill(folder / "data"))
    with serving(folder / "data", "--console", "127.0.0.1:0") as served:
        [(url, link)] = LINK.findall(served.greeting)
        chromium.open(SIZE)
        chromium.log_in(url, link)
        chromium.goto(f"{url}/overview?span=hour")
        chromium.do("wait", "#plot canvas")
        chromium.do("shot", str(picture))


def size_of(picture: Path) -> tuple[int, int]:
    """Return the width and the height of a PNG. Raises AssertionError on another file."""
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", f"{picture} is no PNG"
    width, height = struct.unpack(">II", head[16:])
    return width, height


def main() -> None:
    """Take the picture."""
    with tempfile.TemporaryDirectory() as folder, running() as chromium:
        take(chromium, Path(folder), PICTURE)
    print(f"{PICTURE.name}: {size_of(PICTURE)}")


if __name__ == "__main__":
    main()
