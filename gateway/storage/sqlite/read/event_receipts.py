"""Finds the receipt of an event, and the request that a receipt is of. Nothing here writes.

Receipts have no index by position. Their numbers begin with the time of receipt, which the event has too, so that a
receipt is one of those of that time. Where a clock was set back it is not. But within one writer numbers and positions
grow together, so that it is then found by halving.
"""

from gateway.records.raw_request import RawRequest, decompress
from gateway.storage.outcomes_json import decode_receipt
from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.read import Position
from gateway.storage.records import MOST_REPLAYED, RECEIPT_WITHIN
from gateway.storage.sqlite.log.times import received_at
from gateway.storage.sqlite.read.reader import Reader

NEAR = (
    "SELECT id FROM receipts WHERE id >= ?1 AND id < ?2 AND position <= ?3 AND position + count > ?3 "
    "ORDER BY id LIMIT 1"
)
# A replayed event has the time at which its item was received, as the receipt of the item's request has it.
OF_TIME = (
    "SELECT id, outcomes FROM receipts WHERE id >= ?1 AND id < ?2 AND received_at = ?3 AND outcomes IS NOT NULL "  # noqa: S608
    f"ORDER BY id LIMIT {MOST_REPLAYED}"
)
REPLAYED = "SELECT id FROM settled WHERE id BETWEEN ? AND ? AND position = ?"
ENDS = "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM receipts"
FROM = "SELECT id, position, count FROM receipts WHERE id >= ? ORDER BY id LIMIT 1"
RAW = "SELECT packed FROM raws WHERE receipt = ?"


def receipt_id_of(reader: Reader, position: Position) -> str | None:
    """Return the id, as clients get it, of the receipt of the event at a position; None if it is not known."""
    event = reader.event_at(position)
    if event is None:
        return None
    place, line = event
    time = received_at(line)
    found = None
    if time is not None and time >= 0:
        window = (time << RECEIPT_RANDOM_BITS, (time + RECEIPT_WITHIN) << RECEIPT_RANDOM_BITS)
        near = reader.query(NEAR, *window, place)
        found = near[0][0] if near else _replayed(reader, window, time, place)
    if found is None:
        found = _halved(reader, place)
    return None if found is None else f"{found:x}"


def raw_request(reader: Reader, receipt: int) -> RawRequest | None:
    """Return the request of stored events that `keep_raw_days` keeps; None if it is not kept."""
    rows = reader.query(RAW, receipt)
    return decompress(rows[0][0]) if rows else None


def _replayed(reader: Reader, window: tuple[int, int], time: int, place: int) -> int | None:
    """Return the receipt of the quarantined item that became the event at a place by a replay."""
    for receipt, outcomes in reader.query(OF_TIME, *window, time):
        held = {item["quarantine"] for item in decode_receipt(outcomes) if "quarantine" in item}
        if held and any(number in held for (number,) in reader.query(REPLAYED, min(held), max(held), place)):
            return int(receipt)
    return None


def _halved(reader: Reader, place: int) -> int | None:
    """Return the last receipt that begins at or before a place, if it reaches that far."""
    [(low, high)] = reader.query(ENDS)
    found, reach = None, 0
    while low <= high:
        middle = (low + high) // 2
        rows = reader.query(FROM, middle)
        if rows and rows[0][1] <= place:
            found, first, count = rows[0]
            low, reach = found + 1, first + count
        else:
            high = middle - 1
    return found if reach > place else None
