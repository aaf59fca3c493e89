"""A process that appends to a store until it is killed: `python -m gateway.testing.engine.killed_writer URL LIFE`.

It prints the name of each request after its answer came: what is printed was acknowledged.
"""

import asyncio
import contextlib
import os
import sys

from gateway.storage.contract import Entry, EventRow, Storage
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import body, row

CLIENTS = 8


def request(name: str) -> Entry:
    """Return a request of two events: one with a key, and one without, as is told from its name."""
    return Entry("p", "toy", "track", 1_700_000_000_000, (row(name), EventRow(body(f"{name} keyless"))))


async def append_until_killed(storage: Storage, life: str) -> None:
    """Append from several clients, and print what was answered."""
    numbers = iter(range(1_000_000))

    async def client() -> None:
        for number in numbers:
            await storage.append(request(f"{life}.{number}"))
            os.write(1, f"{life}.{number}\n".encode())

    await asyncio.gather(*[client() for _ in range(CLIENTS)])


async def main(url: str, life: str) -> None:
    """Open the store, and write to it."""
    store = open_store(url)
    with contextlib.nullcontext() if store.directory is None else store.directory.lock():
        async with store.storage(StoreSettings()) as storage:
            await append_until_killed(storage, life)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
