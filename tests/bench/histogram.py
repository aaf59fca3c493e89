"""Latencies as counts in buckets one per cent wide, so that rounds can be pooled whatever their number. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

_STEP = math.log(1.01)
_UNIT = 1e-6  # bucket 0 begins at one microsecond

Histogram = Mapping[int, int]


def histogram(seconds: Iterable[float]) -> Counter[int]:
    """Count latencies by bucket."""
    return Counter([max(0, int(math.log(max(each, _UNIT) / _UNIT) / _STEP)) for each in seconds])


def pooled(histograms: Iterable[Histogram]) -> Counter[int]:
    """Return the sum of some histograms."""
    total: Counter[int] = Counter()
    for each in histograms:
        total.update(each)
    return total


def percentile(counts: Histogram, share: float) -> float:
    """Return the microseconds, to half a per cent, that this share of the latencies does not exceed."""
    rank = max(1, math.ceil(sum(counts.values()) * share))
    for bucket in sorted(counts):
        rank -= counts[bucket]
        if rank <= 0:
            return math.exp((bucket + 0.5) * _STEP)
    return 0.0
