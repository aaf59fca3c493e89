"""How a chunk's lines stand in the log: as a text, or compressed, as in SQLite's own archives. No SQL here.

Compressed lines are zlib's, in a blob, and the column `size` has the length of the text. The `sqlite3` command line has
the function that reads them; the gateway's connections get it from `register`. The package isal, if it is installed,
compresses five times as fast.
"""

import sqlite3

from gateway.datadir import DataDirError
from gateway.storage.sqlite.log.chunks import SMALL_BYTES

try:
    from isal import isal_zlib as zlib
except ImportError:
    import zlib  # type: ignore[no-redef]  # either module, by the same name: isal has zlib's functions

DAMAGED: type[Exception] = zlib.error  # type: ignore[assignment]  # isal's stub has an exception here, not its class
UNCOMPRESS = "sqlar_uncompress"
LEVEL = 1  # of both: higher ones take several times as long for a fifth less


def stored(lines: bytes, *, compress: bool) -> tuple[str | bytes, int | None]:
    """Return a chunk's lines as they are stored, and their size if that is compressed.

    Small chunks stay texts: they are merged soon, and a single event would be hardly shorter.
    """
    if compress and len(lines) >= SMALL_BYTES:
        compressed = zlib.compress(lines, LEVEL)
        if len(compressed) < len(lines):  # an archive's content of just this size counts as not compressed
            return compressed, len(lines)
    return lines.decode(), None


def restored(lines: bytes, size: int | None) -> bytes:
    """Return what `stored` was given. Raises DataDirError, before there is much more than `size` bytes in memory."""
    if size is None:
        return lines
    inflating = zlib.decompressobj()
    try:
        found = inflating.decompress(lines, max(size, 0) + 1)  # 0 would be without a bound
    except (DAMAGED, TypeError, ValueError, OverflowError) as error:  # a column takes values of any type
        raise DataDirError(f"a chunk of the log is damaged: {error}") from error
    if len(found) != size or not inflating.eof:
        raise DataDirError("a chunk of the log is damaged: it has another size than it says")
    return bytes(found)


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the function that the view `events` calls once chunks are compressed."""
    connection.create_function(UNCOMPRESS, 2, restored, deterministic=True)
