"""Rate limits that hold over all fronts: buckets in shared memory. Time is an argument."""

import hashlib
import math
import struct

from gateway.limit import Limit, Limiter
from gateway.outcome import Quota, Reason, Refusal

SLOT = struct.Struct("<Qd")
NEAR = 16  # so many slots are looked at for one key
ROUNDING = 1e-3  # of a token: what sums of fractions may be off


class SharedLimiter(Limiter):
    """One bucket a credential, for all fronts together: a limit is what it says, whichever front a client meets.

    Of each bucket only the time is kept at which it is full again; one that is full may go to another key. Two fronts
    that take a token within the same microsecond may count it once: nothing is locked. `table` is the limit's shared
    memory, `epoch` what its times count from, in milliseconds.
    """

    def __init__(self, limit: Limit, table: memoryview, epoch: int) -> None:
        super().__init__(limit)
        self._table = table
        self._slots = len(table) // SLOT.size
        self._epoch = epoch  # near to now, so that fractions of a millisecond are kept

    def take(self, key: str, now: int) -> Quota:
        """See Limiter."""
        limit = self._limit
        each = limit.seconds * 1000 / limit.requests
        moment = now - self._epoch
        at, name, full = self._find(key, moment)
        spent = min(float(limit.requests), max(0.0, full - moment) / each)
        admitted = spent + 1 <= limit.requests + ROUNDING
        if admitted:
            spent += 1
            SLOT.pack_into(self._table, at, name, moment + spent * each)
        tokens = max(0.0, limit.requests - spent)
        quota = Quota(limit.requests, int(tokens + ROUNDING), math.ceil((now + spent * each) / 1000))
        if not admitted:
            wait = max(1, math.ceil((1 - tokens) * each / 1000))
            facts = {"limit": limit.requests, "window": limit.seconds}
            raise Refusal(Reason.LIMITED, detail=facts, retry_after=wait, quota=quota)
        return quota

    def _find(self, key: str, moment: int) -> tuple[int, int, float]:
        """Return where the key's bucket lies or may lie, what it is called there, and when it is full."""
        name = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") | 1
        best, first = 0, math.inf
        for step in range(NEAR):
            at = (name // 2 + step) % self._slots * SLOT.size
            found, full = SLOT.unpack_from(self._table, at)
            if found == name:
                return at, name, full
            # The one that is full soonest: with its key goes the least.
            full = full if found and full > moment else -math.inf
            if full < first:
                best, first = at, full
        return best, name, -math.inf
