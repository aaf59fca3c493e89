"""Finds what was quarantined and rejected since the last look, by all gateways together.

Numbers are not in the order of time. Of quarantined items each gateway gives those of its own block, and goes on in
it for as long as it lasts: so a mark has the last number of each block. Those of rejected requests are drawn from one
sequence and seen a little later: so a mark has all numbers that were seen of the newest.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from gateway.storage.postgres.gateways import BLOCK
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.postgres.read.rejected import LISTED, named
from gateway.storage.quarantined_items import decode_items
from gateway.storage.records import NewRows

GIVEN = "SELECT numbers_given FROM gateway.state"
BLOCKS = 256
"""How many of the newest blocks are looked at. Each start of a gateway takes one as soon as it quarantines an item."""
LAST_OF_BLOCKS = (
    "SELECT start, (SELECT max(id) FROM gateway.quarantined_requests WHERE id >= start AND id < start + "
    f"{BLOCK}) FROM unnest($1::bigint[]) AS start"
)
SINCE = (
    "SELECT start, newest, items FROM unnest($1::bigint[], $2::bigint[]) AS asked (start, after) CROSS JOIN LATERAL "
    "(SELECT max(id) AS newest, sum(last - id + 1)::bigint AS items FROM gateway.quarantined_requests "
    f"WHERE id > after AND id < start + {BLOCK}) AS found WHERE newest IS NOT NULL"
)
MOST_REQUESTS = 20
"""Requests of one block whose items one look decodes: each may have thousands."""
ROWS = (
    "SELECT found.* FROM unnest($1::bigint[], $2::bigint[]) AS asked (start, after) CROSS JOIN LATERAL "
    "(SELECT id, (extract(epoch FROM received_at) * 1000)::bigint AS at, project, dialect, route, receipt, items "
    f"FROM gateway.quarantined_requests WHERE id > after AND id < start + {BLOCK} "
    f"ORDER BY id DESC LIMIT {MOST_REQUESTS}) AS found ORDER BY at DESC, id DESC LIMIT {MOST_REQUESTS}"
)
OVERLAP = 500
"""How many of the newest numbers of rejected requests may be seen late."""
MOST_NUMBERS = 5000
NEWEST_REJECTED = "SELECT id FROM gateway.rejected WHERE id > $1 ORDER BY id DESC LIMIT $2"
REJECTED_ROWS = f"SELECT {LISTED} FROM gateway.rejected WHERE id = ANY ($1::bigint[]) ORDER BY id"


@attrs.frozen
class _Seen:
    """The numbers above `floor` that were seen."""

    floor: int
    numbers: frozenset[int]


async def new_quarantined(reader: Reader, mark: object, most: int) -> NewRows:
    """See Records."""
    async with reader.transaction() as db:
        given = await db.fetchval(GIVEN) or 0
        starts = [block * BLOCK for block in range(max(0, given // BLOCK + 1 - BLOCKS), given // BLOCK + 1)]
        if not isinstance(mark, Mapping):
            last = await db.fetch(LAST_OF_BLOCKS, starts)
            return NewRows({start: newest for start, newest in last if newest is not None}, (), 0)
        # A block of which nothing is known yet is looked at from its first number on.
        after: dict[int, int] = {start: mark.get(start, start - 1) for start in starts}
        found = await db.fetch(SINCE, list(after), list(after.values()))
        changed = [start for start, _, _ in found]
        held = await db.fetch(ROWS, changed, [after[start] for start in changed]) if changed else []
    rows: list[dict[str, Any]] = []
    for row in held:
        rows += _listed(most - len(rows), *row)
        if len(rows) >= most:
            break
    newest = {start: number for start, number, _ in found}
    return NewRows({**after, **newest}, rows[::-1], sum([items for _, _, items in found]))


def _listed(
    most: int, first: int, received_at: int, project: str, dialect: str, route: str, receipt: int | None, items: bytes
) -> list[dict[str, Any]]:
    """Return the last items of a request, at most so many, the last one first."""
    return [
        {
            "id": item.number,
            "message_id": item.message_id or None,
            "received_at": received_at,
            "project": project,
            "dialect": dialect,
            "route": route,
            "verdict": item.verdict,
            "item": item.index,
            "receipt": None if receipt is None else f"{receipt:x}",
            "faults": item.faults,
        }
        for item in decode_items(items, first)[: -most - 1 : -1]
    ]


async def new_rejected(reader: Reader, mark: object, most: int) -> NewRows:
    """See Records."""
    known = mark if isinstance(mark, _Seen) else None
    asked = (0, OVERLAP) if known is None else (known.floor, MOST_NUMBERS)
    numbers = [number for (number,) in await reader.query(NEWEST_REJECTED, *asked)]
    floor = max(0 if known is None else known.floor, numbers[0] - OVERLAP if numbers else 0)
    seen = _Seen(floor, frozenset([number for number in numbers if number > floor]))
    if known is None:
        return NewRows(seen, (), 0)
    fresh = [number for number in numbers if number not in known.numbers]
    rows = await reader.query(REJECTED_ROWS, fresh[:most]) if fresh else []
    return NewRows(seen, [named(row) for row in rows], len(fresh))
