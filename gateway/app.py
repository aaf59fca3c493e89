"""Wires the parts into a gateway; decides nothing itself."""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable

import attrs
import uvloop
from multidict import MultiMapping

from gateway import welcome
from gateway.auth import Keyring
from gateway.clients import client_address
from gateway.config import Config
from gateway.dialect import Dialect
from gateway.front import Front
from gateway.ids import fresh
from gateway.keyfile import KeyFile
from gateway.keytables import Admin
from gateway.keywatch import watch
from gateway.limit import Limiter
from gateway.metrics import Meter
from gateway.own import Own
from gateway.pipeline import Pipeline
from gateway.registry import discover, install
from gateway.routing import Router
from gateway.server import ClientIp, Server, bind
from gateway.storage.base import Storage
from gateway.storage.commit import GroupCommit
from gateway.storage.datadir import DataDir, make
from gateway.storage.sqlite import SqliteEngine


def now() -> int:
    """Return the wall clock in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def front(
    config: Config,
    dialects: Iterable[Dialect],
    storage: Storage,
    keyring: Keyring,
    clock: Callable[[], int] = now,
    ids: Callable[[int], str] = fresh,
) -> Front:
    """Return a gateway without a socket. Raises RegistryError."""
    capped = [
        attrs.evolve(dialect, body_cap=config.body_caps.get(dialect.name, dialect.body_cap)) for dialect in dialects
    ]
    installed = install(capped, config.switches)
    limiters = {name: Limiter(limit) for name, limit in config.limits.items()}
    meter = Meter()
    pipeline = Pipeline(storage, keyring, ids, meter, limiters, config.keep_ip)
    scripts = {name: script for dialect in capped for name, script in dialect.scripts.items()}
    own = Own(ready=lambda: storage.healthy, metrics=meter.exposition, scripts=scripts)
    headers = tuple(header for dialect in capped for header in dialect.headers)
    return Front(Router(installed, config.hosts), pipeline, own, clock, headers)


def serve(config: Config) -> int:
    """Serve until SIGTERM or SIGINT, finish what was accepted, and return the exit code.

    Raises DataDirError, KeyFileError, RegistryError, and OSError where the address cannot be had.
    """
    logging.basicConfig(level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    directory = make(config.data)
    with (
        directory.lock(),
        bind(config.host, config.port) as listener,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_serve(config, directory, listener))


async def _serve(config: Config, directory: DataDir, listener: socket.socket) -> int:
    dialects = discover()
    with KeyFile.open(directory.keys, make=True) as keys:
        made = welcome.make_keys(keys, dialects, now())
        keyring = keys.load()
    async with _storage(config, directory) as storage:
        built = front(config, dialects, storage, keyring)
        server = Server(built, _client_ip(config), config.body_timeout)
        stopped = _stop_signal()
        async with _following(directory, built.renew):
            _tell(made, await server.start(listener))
            await stopped.wait()
            await server.stop()
    return 0


def _tell(made: welcome.Welcome, url: str) -> None:
    greeting = welcome.text(made, url)
    with contextlib.suppress(BrokenPipeError):  # whoever started us reads no more: serve all the same
        print(f"{greeting}\n{url}" if greeting else url, flush=True)


@contextlib.asynccontextmanager
async def _storage(config: Config, directory: DataDir) -> AsyncIterator[Storage]:
    engine = await SqliteEngine.open(directory, window=config.dedupe_window)
    storage = GroupCommit(engine, queue_bytes=config.queue_bytes)
    try:
        yield storage
    finally:
        await storage.close()


@contextlib.asynccontextmanager
async def _following(directory: DataDir, renew: Callable[[Keyring], None]) -> AsyncIterator[None]:
    """Keep the credentials as the key file has them."""

    def hand_over(keyring: Keyring, _admin: Admin) -> None:
        renew(keyring)

    task = asyncio.create_task(watch(directory.keys, hand_over))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _client_ip(config: Config) -> ClientIp:
    trusted = config.trusted_proxies
    if not trusted:
        return lambda peer, _headers: peer

    def client_ip(peer: str | None, headers: MultiMapping[str]) -> str | None:
        # A client's own line may stand before the proxy's: only the last entries are anybody's word.
        return client_address(peer, ", ".join(headers.getall("x-forwarded-for", ())), trusted)

    return client_ip


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped
