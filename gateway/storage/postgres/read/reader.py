"""Questions to the database, each in a transaction of its own that only reads. No table is named here."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import attrs

from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.store_error import StoreError


@attrs.frozen
class Reader:
    """What readers ask with. Raises StoreError if the database cannot be read."""

    session: Session

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Run the block in a transaction that only reads. The block asks, and does nothing that takes long."""
        try:
            async with self.session.transaction(readonly=True) as db:
                yield db
        except EXPECTED as error:
            raise StoreError(f"cannot read {self.session.address.name}: {reason(error)}") from error

    async def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of one query."""
        async with self.transaction() as db:
            return [tuple(row) for row in await db.fetch(statement, *values)]
