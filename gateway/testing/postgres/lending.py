"""Databases of this process's own PostgreSQL, which starts when the first is asked for and stops with the process."""

import atexit
import contextlib
from collections.abc import Iterator

from gateway.testing.postgres.databases import Databases
from gateway.testing.postgres.installation import Installation
from gateway.testing.postgres.server import Server

_LENT: dict[str, Databases] = {}
"""By the name of their installation."""
_STARTED = contextlib.ExitStack()


def running(installation: Installation) -> Server:
    """Return this process's server of an installation. It is started when it is first asked for."""
    return _databases(installation).server


@contextlib.contextmanager
def lent(installation: Installation) -> Iterator[str]:
    """Lend a database with the gateway's tables and without an event, by its URL."""
    with _databases(installation).one() as url:
        yield url


def stop() -> None:
    """Stop all servers of this process now, not when it ends."""
    _LENT.clear()
    _STARTED.close()


def _databases(installation: Installation) -> Databases:
    if installation.name not in _LENT:
        if not _LENT:
            atexit.register(stop)
        _LENT[installation.name] = Databases(_STARTED.enter_context(Server.started(installation)))
    return _LENT[installation.name]
