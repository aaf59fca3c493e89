"""Finds the receipt of an event, and the request that a receipt is of.

Receipts have no index by position. Their numbers begin with the time of receipt, which the event has too, so that a
receipt is one of those of that time. Where a clock was set back it is found by its transaction: `receipts_by_xid` says
in which part of the table that is.
"""

from gateway.records.raw_request import RawRequest, decompress
from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.postgres.read.lines import place_of
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.postgres.read.receipts import receipt_items
from gateway.storage.read import Position
from gateway.storage.records import MOST_REPLAYED, RECEIPT_WITHIN

EVENT = (
    "SELECT project, (extract(epoch FROM received_at) * 1000)::bigint FROM gateway.events "
    "WHERE xid = $1 AND number = $2 LIMIT 1"
)
NEAR = (
    "SELECT id FROM gateway.receipts WHERE project = $1 AND id >= $2 AND id < $3 "
    "AND xid = $4 AND first <= $5 AND first + count > $5 ORDER BY id LIMIT 1"
)
# A replayed event has the time at which its item was received, as the receipt of the item's request has it.
OF_TIME = (
    "SELECT id, items FROM gateway.receipts WHERE project = $1 AND id >= $2 AND id < $3 "
    f"AND received_at = to_timestamp($4::bigint / 1000.0) AND items IS NOT NULL ORDER BY id LIMIT {MOST_REPLAYED}"
)
REPLAYED = "SELECT id FROM gateway.settled WHERE id BETWEEN $1 AND $2 AND xid = $3 AND number = $4"
# No index but that of the transactions may seem to help: the one that begins with the project would be read whole.
OF_TRANSACTION = (
    "SELECT id FROM gateway.receipts WHERE project || '' = $1 AND xid = $2 AND first <= $3 AND first + count > $3 "
    "LIMIT 1"
)
RAW = "SELECT compressed FROM gateway.raws WHERE project = $1 AND receipt = $2"


async def receipt_id_of(reader: Reader, position: Position) -> str | None:
    """Return the id, as clients get it, of the receipt of the event at a position; None if it is not known."""
    async with reader.transaction() as db:
        place = await place_of(db, position)
        event = None if place is None else await db.fetchrow(EVENT, *place)
    if place is None or event is None:
        return None
    project, time = event
    found: list[tuple[int, ...]] = []
    if time is not None and time >= 0:
        window = (time << RECEIPT_RANDOM_BITS, (time + RECEIPT_WITHIN) << RECEIPT_RANDOM_BITS)
        found = await reader.query(NEAR, project, *window, *place)
        found = found or await _replayed(reader, (project, *window, time), place)
    found = found or await reader.query(OF_TRANSACTION, project, *place)
    return f"{found[0][0]:x}" if found else None


async def raw_request(reader: Reader, project: str, receipt: int) -> RawRequest | None:
    """Return the request of stored events that `keep_raw_days` keeps; None if it is not kept."""
    rows = await reader.query(RAW, project, receipt)
    return decompress(rows[0][0]) if rows else None


async def _replayed(reader: Reader, where: tuple[str, int, int, int], place: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the receipt of the quarantined item that became the event at a place by a replay, in a list."""
    for receipt, items in await reader.query(OF_TIME, *where):
        held = {item["quarantine"] for item in receipt_items(items) if "quarantine" in item}
        if held and any(number in held for (number,) in await reader.query(REPLAYED, min(held), max(held), *place)):
            return [(receipt,)]
    return []
