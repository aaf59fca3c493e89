"""The two servers that a gateway can have, each on a Unix socket: that of `gateway serve`, and somebody's own."""

import contextlib
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import attrs
from aiohttp import web

from gateway.app import application
from gateway.config import Config
from gateway.config.store import store_of
from gateway.datadir import make
from gateway.http.listening import unix_socket
from gateway.http.listening.listeners import Listeners
from gateway.testing.corpus.message import NOW
from gateway.workers.answering import Answering
from gateway.workers.open_log import opened

PREFIX = "/collect/events"
"""Where somebody's own service mounts the gateway."""
LINE = 1 << 16
"""Bytes of a request's first line, or of a header, that somebody's own server takes."""

NewId = Callable[[int], str]


@attrs.frozen
class Way:
    """A server: `answering` serves a configuration on a socket, and yields the prefix of all paths."""

    name: str
    answering: Callable[[Config, Path, NewId], AbstractAsyncContextManager[str]] = attrs.field(repr=False)


@contextlib.asynccontextmanager
async def _served(config: Config, socket: Path, new_id: NewId) -> AsyncIterator[str]:
    store = store_of(config)
    with (
        contextlib.nullcontext() if store.directory is None else make(store.directory.path).lock(),
        unix_socket.bound(socket) as listener,
        _own_garbage_collection(),
    ):
        async with (
            opened(config, store) as storage,
            Answering(config, store, storage, clock=_clock, new_id=new_id).opened(Listeners(sockets=(listener,))),
        ):
            yield ""


@contextlib.asynccontextmanager
async def _mounted(config: Config, socket: Path, new_id: NewId) -> AsyncIterator[str]:
    service = web.Application()
    service.add_subapp(PREFIX, application(config, clock=_clock, new_id=new_id))
    runner = web.AppRunner(service, auto_decompress=False, max_line_size=LINE, max_field_size=LINE)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(socket)).start()
        yield PREFIX
    finally:
        await runner.cleanup()


WAYS = (Way("over HTTP, as gateway serve answers", _served), Way("in a service that mounts the gateway", _mounted))


def _clock() -> int:
    return NOW


@contextlib.contextmanager
def _own_garbage_collection() -> Iterator[None]:
    """Give this process its pace of collections back, which a server changes for itself."""
    pace = gc.get_threshold()
    try:
        yield
    finally:
        gc.set_threshold(*pace)
