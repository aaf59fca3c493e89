"""Rate limits as token buckets (GCRA). Time is an argument; nothing here is on unless the operator configured it."""

import math
from collections import OrderedDict
from typing import Protocol

import attrs

from gateway.dialect.outcome import Quota, Reason, Refusal

MAX_BUCKETS = 100_000  # the least recently used is forgotten first: a full bucket again, never a refusal


@attrs.frozen
class Limit:
    """So many requests in so many seconds."""

    requests: int = attrs.field(validator=attrs.validators.gt(0))
    seconds: int = attrs.field(default=60, validator=attrs.validators.gt(0))


def take(limit: Limit, full_at: float, now: int) -> tuple[float, Quota]:
    """Take one token of a bucket that refills evenly; return when it is full again, and what is left.

    A bucket is one number: the time at which it is full again (milliseconds, as `now`); in the past it is full. Raises
    Refusal when no token is left: then the bucket stays as it was.
    """
    window = limit.seconds * 1000
    token = window / limit.requests
    until_full = max(0.0, full_at - now)
    if until_full > window + token:
        # No bucket is that empty: the clock was set back. How many tokens were left is not known; assume one.
        until_full = window - token
    if until_full + token > window + _slack(token):
        raise Refusal(
            Reason.LIMITED,
            detail={"limit": limit.requests, "window": limit.seconds},
            retry_after=max(1, math.ceil((until_full + token - window - _slack(token)) / 1000)),
            quota=_quota(limit, until_full, now),
        )
    return now + until_full + token, _quota(limit, until_full + token, now)


def _quota(limit: Limit, until_full: float, now: int) -> Quota:
    token = limit.seconds * 1000 / limit.requests
    left = (limit.seconds * 1000 - until_full + _slack(token)) / token
    return Quota(
        limit=limit.requests,
        remaining=max(0, int(left)),
        reset=math.ceil((now + until_full - _slack(token)) / 1000),
    )


def _slack(token: float) -> float:
    """Return how many milliseconds sums of fractions may be off."""
    return min(0.5, token / 1000)


class Limiter(Protocol):
    """One bucket a credential."""

    def take(self, key: str, now: int) -> Quota:
        """Take one request's token at a time in milliseconds. Raises Refusal when none is left."""
        ...


class MemoryLimiter:
    """A Limiter of one process."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, now: int) -> Quota:
        """See Limiter."""
        full_at = self._full_at.setdefault(key, -math.inf)
        self._full_at.move_to_end(key)
        self._full_at[key], quota = take(self._limit, full_at, now)
        if len(self._full_at) > MAX_BUCKETS:
            self._full_at.popitem(last=False)
        return quota
