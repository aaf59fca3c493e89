"""Rate limits as token buckets (GCRA). Off unless the operator configures them; the time is an argument."""

import math
from collections import OrderedDict
from typing import Protocol

import attrs

from gateway.dialect.outcome import Quota, Reason, Refusal

MAX_BUCKETS = 100_000  # beyond it the least recently used is forgotten, and so is full again


@attrs.frozen
class Limit:
    """How many requests a credential may send in how many seconds."""

    requests: int = attrs.field(validator=attrs.validators.gt(0))
    seconds: int = attrs.field(default=60, validator=attrs.validators.gt(0))


def take(limit: Limit, full_at: float, now: int) -> tuple[float, Quota]:
    """Take one token from a bucket that refills evenly; return when it is full again, and what is left.

    A bucket is one number, the time at which it is full again (in milliseconds, as `now`); a time in the past means
    that it is full. Raises Refusal if no token is left; the bucket is unchanged then.
    """
    window = limit.seconds * 1000
    token = window / limit.requests
    until_full = max(0.0, full_at - now)
    if until_full > window + token:
        # No bucket can be that empty, so the clock was set back. Nobody knows how many tokens were left: assume one.
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
    """Return by how many milliseconds a sum of fractions may be wrong."""
    return min(0.5, token / 1000)


class Limiter(Protocol):
    """A bucket for each credential."""

    def take(self, key: str, now: int) -> Quota:
        """Take one token of the credential `key`; `now` is in milliseconds. Raises Refusal if none is left."""
        ...


class MemoryLimiter:
    """A Limiter for one process."""

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
