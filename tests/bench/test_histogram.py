"""Latencies in buckets: pooling them and asking for percentiles."""

from collections import Counter

import pytest

from tests.bench.histogram import histogram, percentile, pooled


def test_latencies_within_a_per_cent_share_a_bucket() -> None:
    assert list(histogram([0.001, 0.001, 0.002]).values()) == [2, 1]


def test_pooling_adds_the_counts() -> None:
    assert pooled([{3: 1, 4: 2}, {4: 5}]) == Counter({3: 1, 4: 7})


@pytest.mark.parametrize(("share", "expected"), [(0.5, 1000.0), (0.98, 1000.0), (0.99, 50_000.0), (1.0, 50_000.0)])
def test_a_percentile_is_right_to_a_per_cent(share: float, expected: float) -> None:
    counts = histogram([0.001] * 98 + [0.05] * 2)
    assert percentile(counts, share) == pytest.approx(expected, rel=0.01)


def test_no_latencies_have_no_percentile() -> None:
    assert percentile({}, 0.99) == 0.0
