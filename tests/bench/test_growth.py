"""A growth seen past the machine's own ups and downs."""

import attrs

from tests.bench.growth import Point, evened, growth_table
from tests.bench.test_goals import GROWN

POINT = Point(100_000, 30_000, 20_000, 30.0, 1_000, 2**26)
SLOW = attrs.evolve(POINT, stored=150_000, events_per_second=15_000, bare_per_second=10_000)


def test_a_slow_moment_of_the_machine_is_evened_out() -> None:
    third = attrs.evolve(POINT, stored=200_000)
    assert evened([POINT, SLOW, third]) == [(100_000, 30_000), (150_000, 30_000), (200_000, 30_000)]
    assert attrs.evolve(GROWN, points=(POINT, SLOW, third)).along == 1.0


def test_one_odd_chunk_does_not_bend_the_line() -> None:
    odd = attrs.evolve(POINT, events_per_second=90_000)
    assert [rate for _, rate in evened([POINT, POINT, odd, POINT, POINT])] == [30_000] * 5


def test_a_long_growth_is_shown_in_a_dozen_rows_and_its_end() -> None:
    points = tuple(attrs.evolve(POINT, stored=stored) for stored in range(0, 1_000, 10))
    shown = growth_table(attrs.evolve(GROWN, points=points)).rows
    assert (len(shown), shown[0][0], shown[-1][0]) == (12, "0", "990")
