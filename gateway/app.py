"""Wires the parts into a gateway; decides nothing itself."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable

import attrs
import uvloop

from gateway import welcome
from gateway.admin import Desk
from gateway.admission import Gate
from gateway.auth import Keyring
from gateway.bots import known_bots
from gateway.clients import client_address
from gateway.config import Config
from gateway.dialect import Dialect
from gateway.front import Front
from gateway.ids import fresh
from gateway.keyfile import KeyFile
from gateway.keytables import Admin
from gateway.keywatch import watch
from gateway.ledgers import Ledgers
from gateway.limit import Limiter
from gateway.metrics import Meter
from gateway.own import Own
from gateway.pipeline import Pipeline
from gateway.reading import ClientIp
from gateway.registry import discover, install
from gateway.routing import Router
from gateway.server import Server, bind
from gateway.storage.base import Storage
from gateway.storage.datadir import DataDir, Lock, make
from gateway.storage.refused import RefusedRing
from gateway.workers.shared import Shared
from gateway.workers.store import opened
from gateway.workers.supervisor import supervise


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
    shared: Shared | None = None,
    desk: Desk | None = None,
    ring: RefusedRing | None = None,
) -> Front:
    """Return a gateway without a socket. `shared` is what it has in common with others. Raises RegistryError."""
    capped = [
        attrs.evolve(dialect, body_cap=config.body_caps.get(dialect.name, dialect.body_cap)) for dialect in dialects
    ]
    installed = install(capped, config.switches)
    shared = shared or Shared(Meter(), {name: Limiter(limit) for name, limit in config.limits.items()})
    meter, limiters = shared.meter, shared.limiters
    note = None if ring is None else ring.note
    pipeline = Pipeline(storage, Gate(keyring, limiters), ids, meter, config.keep_ip, note)
    pipeline.keep_raw = config.keep_raw > 0
    if config.filter_bots:
        pipeline.is_bot, pipeline.filtered = known_bots(), config.filter_bots
    scripts = {name: script for dialect in capped for name, script in dialect.scripts.items()}
    admin = None if desk is None else desk.answer
    metrics = meter.exposition
    if desk is not None:
        metrics = Ledgers(desk.directory).beside(metrics)
    own = Own(ready=lambda: storage.healthy, metrics=metrics, scripts=scripts, admin=admin)
    headers = tuple(header for dialect in capped for header in dialect.headers)
    return Front(Router(installed, config.hosts), pipeline, own, clock, headers)


def serve(config: Config) -> int:
    """Serve until SIGTERM or SIGINT, finish what was accepted, and return the exit code.

    Raises DataDirError, KeyFileError, RegistryError, and OSError where the address cannot be had.
    """
    logging.basicConfig(level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    directory = make(config.data)
    with (
        directory.lock() as lock,
        bind(config.host, config.port) as listener,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_serve(config, directory, lock, listener))


async def _serve(config: Config, directory: DataDir, lock: Lock, listener: socket.socket) -> int:
    stopped = _stop_signal()
    with KeyFile.open(directory.keys, make=True) as keys:
        made = welcome.make_keys(keys, discover(), now())
    if config.workers > 1:
        return await supervise(config, directory, lock, listener, lambda url: _tell(made, url), stopped)
    async with opened(config, directory) as storage, answering(config, listener, storage) as url:
        _tell(made, url)
        await stopped.wait()
    return 0


@contextlib.asynccontextmanager
async def answering(
    config: Config, listener: socket.socket, storage: Storage, shared: Shared | None = None
) -> AsyncIterator[str]:
    """Answer requests on a bound socket as long as this lasts, and finish them at its end; yields the URL."""
    directory = DataDir(config.data)
    with KeyFile.open(directory.keys) as keys:
        keyring, desk = keys.load(), Desk(directory, keys.admin())
    ring = RefusedRing(directory.refused, config.refused_bytes, config.refused_window)
    built = front(config, discover(), storage, keyring, shared=shared, desk=desk, ring=ring)
    server = Server(built, _client_ip(config), config.body_timeout, config.idle_timeout)
    _settle()

    def renew(keyring: Keyring, admin: Admin) -> None:
        built.renew(keyring)
        desk.renew(admin)

    async with ring.running(), _following(directory, renew):
        url = await server.start(listener)
        try:
            yield url
        finally:
            await server.stop()


def _settle() -> None:
    """Leave what was made at start out of every later garbage collection, and collect less often.

    A request leaves no cycles; looking for them at Python's usual pace was a fifth of a batch's CPU and most of p99.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _tell(made: welcome.Welcome, url: str) -> None:
    greeting = welcome.text(made, url)
    with contextlib.suppress(BrokenPipeError):  # whoever started us reads no more: serve all the same
        print(f"{greeting}\n{url}" if greeting else url, flush=True)


@contextlib.asynccontextmanager
async def _following(directory: DataDir, renew: Callable[[Keyring, Admin], None]) -> AsyncIterator[None]:
    """Keep the credentials and the admin token as the key file has them."""
    task = asyncio.create_task(watch(directory.keys, renew))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _client_ip(config: Config) -> ClientIp:
    trusted = config.trusted_proxies
    if not trusted:
        return lambda peer, _forwarded_for: peer

    return lambda peer, forwarded_for: client_address(peer, forwarded_for, trusted)


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped
