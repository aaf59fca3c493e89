"""Reads events and receipts in batches, for a move: whole transactions, in the order of their numbers."""

from gateway.storage.moving import Cursor, LogBatch, MovedReceipt, Row
from gateway.storage.outcomes_json import shifted
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.read.days import Days, forward

EVENTS = 4000
RECEIPTS = 4000
BYTES = 8 << 20
"""A batch ends at about so many bytes of events, or of kept requests; one transaction's are never in two batches."""
FETCHED = 32
SELECT_EVENTS = (
    "SELECT xid, number, day, coalesce(exact, body::text), moved_from FROM gateway.events "
    "WHERE day IN ({dates}) AND xid BETWEEN $1 AND $2 ORDER BY xid, number"
)
SELECT_RECEIPTS = (
    "SELECT receipts.xid, receipts.id, receipts.project, dialect, route, "
    "(extract(epoch FROM received_at) * 1000)::bigint, first, count, items, compressed "
    "FROM gateway.receipts LEFT JOIN gateway.raws ON raws.project = receipts.project AND raws.receipt = receipts.id "
    "WHERE receipts.xid BETWEEN $1 AND $2 ORDER BY receipts.xid, receipts.id"
)
EVENT_TEXT, RECEIPT_TEXT = 3, 9


async def next_batch(db: Connection, days: Days, after: Cursor, until: Cursor) -> LogBatch | None:
    """Return what was written after one transaction and before another; None if there is nothing."""
    begin, end = (after or [0])[0] + 1, until[0]
    if begin >= end:
        return None
    window = forward(await days.load(db), begin, end)
    last = end - 1 if window is None else window.last
    events: list[Row] = []
    if window is not None:
        events, last = await _whole(db, SELECT_EVENTS.format(dates=window.dates), begin, last, EVENTS, EVENT_TEXT)
    receipts, last = await _whole(db, SELECT_RECEIPTS, begin, last, RECEIPTS, RECEIPT_TEXT)
    events = [row for row in events if row[0] <= last]
    return LogBatch(
        cursor=[last],
        lines=[text.encode() for _, _, _, text, _ in events],
        positions=[moved_from for *_, moved_from in events],
        places=[(xid, number) for xid, number, *_ in events],
        days=[day for _, _, day, *_ in events],
        keys=[None] * len(events),
        receipts=[_receipt(row) for row in receipts],
    )


async def _whole(
    db: Connection, statement: str, begin: int, last: int, most: int, text_at: int
) -> tuple[list[Row], int]:
    """Return rows of whole transactions, about as many as a batch has, and the last transaction that was looked at."""
    rows, is_cut = await _fetched(db, statement, begin, last, most, text_at)
    if not is_cut:
        return rows, last
    torn = rows[-1][0]
    if rows[0][0] == torn:
        return (await _fetched(db, statement, torn, torn, None, text_at))[0], torn
    return [row for row in rows if row[0] < torn], torn - 1


async def _fetched(
    db: Connection, statement: str, begin: int, last: int, most: int | None, text_at: int
) -> tuple[list[Row], bool]:
    found: list[Row] = []
    size = 0
    cursor = await db.cursor(statement, begin, last)
    while rows := await cursor.fetch(FETCHED):
        found += [tuple(row) for row in rows]
        size += sum([len(row[text_at] or "") for row in rows])
        if most is not None and (len(found) >= most or size >= BYTES):
            return found, True
    return found, False


def _receipt(row: Row) -> MovedReceipt:
    xid, number, project, dialect, route, received, first, count, items, raw = row
    if items is not None:
        moved = shifted(items.decode() if items.startswith(b"[") else items, -first)
        items = moved.encode() if isinstance(moved, str) else moved
    return MovedReceipt(
        id=number,
        project=project,
        dialect=dialect,
        route=route,
        received_at=received,
        count=count,
        place=(xid, first),
        items=items,
        raw=raw,
    )
