"""Pages of one project's rows in the order of a number, each in a short transaction of its own."""

from collections.abc import AsyncIterator

import asyncpg
import attrs

from gateway.storage.postgres.connection.session import Session

LAST = (1 << 63) - 1


@attrs.frozen
class Table:
    """What is read of a table: `columns`, of the rows that meet a condition. `number` is in its key after the project.

    `rows` are looked at in one page; fewer, if that takes too long.
    """

    name: str
    number: str
    columns: str
    rows: int
    condition: str = "true"


async def pages(session: Session, table: Table, project: str) -> AsyncIterator[list[asyncpg.Record]]:
    """Yield the rows of a project. Raises one of EXPECTED."""
    of_project = f"FROM gateway.{table.name} WHERE project = $1 AND {table.number} > $2"
    find_end = f"SELECT {table.number} {of_project} ORDER BY 1 OFFSET $3 LIMIT 1"
    select = (
        f"SELECT {table.columns} {of_project} AND {table.number} <= $3 AND {table.condition} ORDER BY {table.number}"
    )
    after, rows = -1, table.rows
    while after < LAST:
        try:
            async with session.transaction(readonly=True) as db:
                found = await db.fetchval(find_end, project, after, rows - 1)
                end: int = LAST if found is None else found
                page = await db.fetch(select, project, after, end)
        except asyncpg.QueryCanceledError:
            if rows == 1:
                raise
            rows = max(1, rows // 8)
            continue
        if page:
            yield page
        after = end
