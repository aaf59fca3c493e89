"""Preflights that no request follows: what a page wanted to send, and its browser did not. Time is an argument."""

import struct
import zlib
from collections.abc import Iterator

from gateway.http.handler import RequestHead

SLOTS = 1024
SLOT = struct.Struct("=IHHd")  # of whom and for what, how many, the dialect's number from 1, the time of the last one
TABLE = SLOTS * SLOT.size
GRACE = 30_000
"""Milliseconds in which the request must follow; browsers send it at once."""


class Preflights:
    """The latest preflights that still wait for their request, in a table of a fixed size.

    A preflight and its request have the client's address, the Origin and the path in common. Of these only a checksum
    is kept: what strangers send takes no memory. Two that meet in one slot lose the older one, which is not counted
    unless its time was over. `table` may be memory that several processes share: there is no lock, and of two that
    write into a slot within a microsecond one is lost.
    """

    def __init__(self, table: memoryview | None = None) -> None:
        self._table = memoryview(bytearray(TABLE)) if table is None else table
        self._marks = self._table.cast("I")  # one in each four: every request of a page looks here

    def asked(self, head: RequestHead, dialect: int, now: int) -> tuple[int, int]:
        """Remember a preflight for a path of a dialect, by its number from 0; `now` is in milliseconds.

        Return the number of the dialect whose preflights gave way, and how many of them no request has followed.
        """
        mark = _mark(head)
        found, count, owner, last = self._at(mark)
        is_over = count > 0 and now - last > GRACE
        unfollowed = (owner - 1, count) if is_over else (dialect, 0)
        count = count + 1 if found == mark and not is_over and owner == dialect + 1 else 1
        SLOT.pack_into(self._table, mark % SLOTS * SLOT.size, mark, min(count, 0xFFFF), dialect + 1, float(now))
        return unfollowed

    def followed(self, head: RequestHead) -> None:
        """Forget one preflight of a request with an Origin, if there was one."""
        mark = _mark(head)
        if self._marks[mark % SLOTS * 4] != mark:
            return
        _, count, owner, last = self._at(mark)
        if count > 0:
            SLOT.pack_into(self._table, mark % SLOTS * SLOT.size, mark, count - 1, owner, last)

    def expired(self, now: int) -> Iterator[tuple[int, int]]:
        """Yield the numbers of dialects, and how many of their preflights no request followed; forget these."""
        for mark, count, owner, last in list(SLOT.iter_unpack(self._table)):
            if count > 0 and now - last > GRACE:
                SLOT.pack_into(self._table, mark % SLOTS * SLOT.size, mark, 0, owner, last)
                yield owner - 1, count

    def _at(self, mark: int) -> tuple[int, int, int, float]:
        found, count, owner, last = SLOT.unpack_from(self._table, mark % SLOTS * SLOT.size)
        return found, count, owner, last


def _mark(head: RequestHead) -> int:
    text = f"{head.client_ip}\n{head.headers['origin']}\n{head.path}"
    return zlib.crc32(text.encode("utf-8", "surrogateescape"))
