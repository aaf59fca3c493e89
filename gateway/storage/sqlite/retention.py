"""Forgetting events whose time is over: a few of the log's oldest chunks a commit, with the receipts that tell of them.

Never what is not merged yet, for the log is where the keys in memory are read from after a kill. Ids outlive their
events: they are forgotten by generations.py alone. What goes makes room in the file, which does not get smaller.
"""

import sqlite3

from gateway.storage.decide import RECEIPT_RANDOM_BITS

# A receipt's number begins with its time, and where the events of the first one to stay begin, the older ones end.
STAYS = "SELECT position FROM receipts WHERE id >= ? ORDER BY id LIMIT 1"
WATERMARK = "SELECT value FROM meta WHERE name = 'watermark'"
FORGET = (
    "DELETE FROM log WHERE last IN (SELECT last FROM log WHERE last <= :to ORDER BY last LIMIT :most)",
    "DELETE FROM receipts WHERE id IN "
    "(SELECT id FROM receipts WHERE id < :before AND position + count <= :to + 1 ORDER BY id LIMIT 10 * :most)",
)


def forget(connection: sqlite3.Connection, newest: int, keep: float, most: int) -> int:
    """Forget inside the open transaction what is more than `keep` seconds older than the newest receipt.

    No more than `most` chunks go. Returns the last position that is to go, merged or not.
    """
    before = max(0, (newest >> RECEIPT_RANDOM_BITS) - int(keep * 1000)) << RECEIPT_RANDOM_BITS
    (stays,) = connection.execute(STAYS, (before,)).fetchone() or (0,)
    (watermark,) = connection.execute(WATERMARK).fetchone()
    values = {"to": min(stays - 1, watermark), "most": most, "before": before}
    for statement in FORGET:
        connection.execute(statement, values)
    return int(stays) - 1
