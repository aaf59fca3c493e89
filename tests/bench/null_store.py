"""The gateway with a store that keeps nothing: what the path costs before the disk. Run with a port."""

import asyncio
import signal
import sys
from importlib import import_module

import uvloop

from gateway.app import build_handler
from gateway.config import Config
from gateway.dialect import Dialect
from gateway.http.bind import bind
from gateway.http.server import Server
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.storage.contract import Appended, AppendStatus, Entry, Queue
from tests.bench.traffic import CREDENTIALS

SALT = b"a salt for the bench"


class NullStorage:
    """Answers every append at once as new."""

    healthy = True
    queue = Queue(0, 1)

    async def append(self, entry: Entry) -> Appended:
        """Say that all rows are new."""
        return Appended(AppendStatus.NEW)

    async def close(self) -> None:
        """Release nothing."""


def dialects() -> tuple[Dialect, ...]:
    """Return the dialects that the scenarios speak."""
    names = dict.fromkeys(dialect for dialect, _, _ in CREDENTIALS)
    return tuple(import_module(f"dialects.{name}").dialect for name in names)


def keyring() -> Keyring:
    """Return the scenarios' credentials, with every scope."""
    scopes = {dialect.name: frozenset(dialect.scopes) for dialect in dialects()}
    return Keyring(
        SALT,
        {
            digest(SALT, dialect, kind, value): Grant(f"{dialect}-{kind}", "bench", dialect, kind, scopes[dialect])
            for dialect, kind, value in CREDENTIALS
        },
    )


async def serve(port: int) -> None:
    """Serve until SIGTERM."""
    server = Server(build_handler(Config(), dialects(), NullStorage(), keyring()), lambda peer, _headers: peer)
    await server.start(bind("127.0.0.1", port))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await server.stop()


def main() -> None:
    """Serve on the port given as the only argument."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
