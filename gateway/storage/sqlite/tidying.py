"""What the log writer does beside its commits: expired events go, and their room. Synchronous, on its thread."""

import attrs

from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.log_writer import LogWriter
from gateway.storage.sqlite.upkeep.retention import WATERMARK, delete_expired

CHUNKS = 64
"""So many expired chunks are deleted in one piece of work."""


@attrs.frozen
class Tidied:
    """Whether more is left to do, and whether the file is to become shorter."""

    more: bool
    has_shrunk: bool


def tidy(writer: LogWriter) -> Tidied:
    """Do a piece of the work, in transactions of its own. Raises sqlite3.Error and OSError."""
    if writer.broken is not None:
        return Tidied(False, False)
    try:
        with sqlite_file.overwriting(writer.connection):
            more = _expire(writer)
        has_shrunk = writer.shrinking.step(writer.connection)
    except BaseException as error:
        writer.roll_back(error)
        raise
    return Tidied(more or writer.shrinking.excess > 0, has_shrunk)


def _expire(writer: LogWriter) -> bool:
    """Remove some of what has expired, although nothing new comes; return whether there may be more."""
    expiry, connection, position = writer.expiry, writer.connection, writer.position
    if not expiry.longest and not expiry.shorter:
        return False
    now = max(writer.receipt >> RECEIPT_RANDOM_BITS, int(writer.settings.wall_clock() * 1000))
    more, expired = False, 0
    connection.execute("BEGIN IMMEDIATE")
    if expiry.longest:
        more, expired = delete_expired(
            connection, now=now, keep_seconds=expiry.longest, position=position, max_chunks=CHUNKS
        )
    some, before_others = expiry.remove(
        connection, writer.streams, now=now, position=position, compress=writer.settings.compress
    )
    # Nothing is removed whose key is not flushed: see retention.py.
    keys = writer.known_keys
    keys.flush_up_to = max(keys.flush_up_to, expired, before_others)
    before = connection.execute(WATERMARK).fetchone()
    flushed = keys.flush(connection, position, 0)
    has_moved = connection.execute(WATERMARK).fetchone() != before
    connection.execute("COMMIT")
    keys.remember((), flushed)
    return more or some or flushed > 0 or has_moved
