"""A transaction that is held open for a lock, as long as a move lasts, and what the errors of a move say."""

import contextlib
from collections.abc import AsyncIterator, Iterator

from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.store_error import StoreError

LONG_SECONDS = 86_400.0
"""How long it may be held."""


@contextlib.asynccontextmanager
async def held(session: Session) -> AsyncIterator[Connection]:
    """Run the block beside a transaction that waits for it. Raises StoreError, but passes on what the block raises.

    It gets no number, so that readers need not wait for it.
    """
    async with contextlib.AsyncExitStack() as stack:
        with in_one_line("use", session.address.name):
            db = await stack.enter_async_context(session.transaction())
            await db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        try:
            yield db
        except BaseException:
            with contextlib.suppress(*EXPECTED):
                await stack.aclose()
            raise
        with in_one_line("use", session.address.name):
            await db.execute("SELECT 1")  # without the connection there was no lock
            await stack.aclose()


@contextlib.contextmanager
def in_one_line(doing: str, name: str) -> Iterator[None]:
    """Raise StoreError in place of what a statement or a connection fails with."""
    try:
        yield
    except EXPECTED as error:
        raise StoreError(f"cannot {doing} {name}: {reason(error)}") from error
