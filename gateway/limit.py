"""Rate limits as token buckets in memory. Time is an argument; nothing here is on unless the operator configured it."""

import math
from collections import OrderedDict

import attrs

from gateway.outcome import Quota, Reason, Refusal

MOST_BUCKETS = 100_000  # the least recently used is forgotten first: a full bucket again, never a refusal


@attrs.frozen
class Limit:
    """So many requests in so many seconds."""

    requests: int = attrs.field(validator=attrs.validators.gt(0))
    seconds: int = attrs.field(default=60, validator=attrs.validators.gt(0))


@attrs.define
class _Bucket:
    tokens: float
    at: int


class Limiter:
    """One bucket a credential, refilled evenly over the limit's window."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str, now: int) -> Quota:
        """Take one request's token at a time in milliseconds. Raises Refusal when none is left."""
        limit = self._limit
        bucket = self._buckets.setdefault(key, _Bucket(limit.requests, now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        each = limit.seconds * 1000 / limit.requests
        bucket.tokens = min(limit.requests, bucket.tokens + max(0, now - bucket.at) / each)
        bucket.at = now
        admitted = bucket.tokens >= 1
        if admitted:
            bucket.tokens -= 1
        whole = math.ceil((now + (limit.requests - bucket.tokens) * each) / 1000)
        quota = Quota(limit.requests, int(bucket.tokens), whole)
        if not admitted:
            wait = max(1, math.ceil((1 - bucket.tokens) * each / 1000))
            facts = {"limit": limit.requests, "window": limit.seconds}
            raise Refusal(Reason.LIMITED, detail=facts, retry_after=wait, quota=quota)
        return quota
