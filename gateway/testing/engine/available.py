"""The engines that a dialect's cases are stored in: those that run on this machine."""

from importlib.util import find_spec

from gateway.testing.engine.under_test import EngineUnderTest, postgresql
from gateway.testing.postgres.installation import NoPostgresError, found
from gateway.testing.ways.quick_sqlite import quick_sqlite


def available() -> tuple[EngineUnderTest, ...]:
    """Return SQLite, and PostgreSQL where a server and its driver are installed."""
    sqlite = quick_sqlite()
    try:
        found()
    except NoPostgresError:
        return (sqlite,)
    return (sqlite, postgresql()) if find_spec("asyncpg") else (sqlite,)
