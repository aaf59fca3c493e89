"""Quartiles, and ratios of what ran side by side."""

from tests.bench.spread import Spread, ratios, spread


def test_a_spread_is_the_quartiles() -> None:
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(2.0, 3.0, 4.0)


def test_one_value_has_no_width() -> None:
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0)


def test_a_ratio_is_taken_within_a_round_and_only_where_both_ran() -> None:
    ours, theirs = {0: 2.0, 1: 20.0, 2: 4.0}, {0: 1.0, 1: 10.0}
    assert ratios(ours, theirs, float) == [2.0, 2.0]
