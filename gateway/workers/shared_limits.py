"""Rate limits that hold over all HTTP workers: buckets in shared memory. Time is an argument."""

import hashlib
import math
import struct

from gateway.dialect.outcome import Quota
from gateway.ingest.rate_limit import Limit, take

SLOT = struct.Struct("<Qd")  # a key's hash, and when its bucket is full again (milliseconds since the epoch)
MAX_PROBES = 16  # slots that are looked at for one key


class SharedLimiter:
    """A Limiter of all HTTP workers together: the limit holds whichever worker a client meets.

    `table` is the limit's shared memory. There is no lock: of two workers that take a token within the same
    microsecond, one may not be counted. The slot of a bucket that is full again may go to another key.
    """

    def __init__(self, limit: Limit, table: memoryview) -> None:
        self._limit = limit
        self._table = table
        self._slots = len(table) // SLOT.size

    def take(self, key: str, now: int) -> Quota:
        """See Limiter."""
        at, name, full_at = self._find(key, now)
        full_at, quota = take(self._limit, full_at, now)
        SLOT.pack_into(self._table, at, name, full_at)
        return quota

    def _find(self, key: str, now: int) -> tuple[int, int, float]:
        """Return the offset of the key's slot or of one that it may have, its hash, and when its bucket is full."""
        name = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") | 1
        best, soonest = 0, math.inf
        for step in range(MAX_PROBES):
            at = (name // 2 + step) % self._slots * SLOT.size
            found, full_at = SLOT.unpack_from(self._table, at)
            if found == name:
                return at, name, full_at
            # The bucket that is full soonest: to lose it costs least.
            full_at = full_at if found and full_at > now else -math.inf
            if full_at < soonest:
                best, soonest = at, full_at
        return best, name, -math.inf
