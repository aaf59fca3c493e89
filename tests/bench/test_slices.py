"""Figures of slices: steady rates, medians over rounds, ratios of neighbours."""

import pytest

from tests.bench.slices import Series, Slice, cpu, rate, steady_rate
from tests.bench.spread import Spread


def one(rate: float, cpu: float = 1.0, later: float = 0.0, others: float = 0.0) -> Slice:
    return Slice(
        requests=100,
        seconds=2.0,
        rate=rate,
        server_cpu=cpu,
        later_cpu=later,
        load_cpu=0.5,
        others_cpu=others,
        latencies={700: 100},
    )


def series(name: str, slices: dict[int, Slice], items: int = 1) -> Series:
    return Series("scenario", name, items, slices)


def test_a_steady_rate_leaves_the_ramp_and_the_tail_out() -> None:
    times = [1.0, 1.0, 1.25, 1.5, 1.75, 2.0, 9.0, 9.0]
    assert steady_rate(times, connections=2, started=0.0, deadline=2.5) == 4.0


def test_a_slice_with_few_answers_counts_whole() -> None:
    assert steady_rate([1.0, 2.0, 4.0], connections=2, started=0.0, deadline=3.0) == 0.75


def test_no_answers_are_no_rate() -> None:
    assert steady_rate([], connections=2, started=0.0, deadline=3.0) == 0.0


def test_what_the_server_puts_off_is_paid_for() -> None:
    assert cpu(one(100.0, cpu=0.001, later=0.001)) == pytest.approx(20.0)
    assert rate(one(100.0, later=1.0)) == 50.0


def test_a_slow_machine_does_not_change_a_ratio() -> None:
    ours = series("gateway", {0: one(50.0), 1: one(10.0), 2: one(60.0)})
    theirs = series("bare", {0: one(100.0), 1: one(20.0), 2: one(120.0)})
    assert ours.over(theirs, rate) == Spread(0.5, 0.5, 0.5)


def test_rounds_in_which_others_used_the_cores_do_not_count() -> None:
    ours = series("gateway", {0: one(50.0), 1: one(90.0, others=1.0), 2: one(50.0)})
    theirs = series("bare", {0: one(100.0), 1: one(100.0), 2: one(100.0, others=1.0)})
    assert (ours.rounds_with(theirs), ours.is_certain_with(theirs), ours.calm) == ([0], True, "2 of 3")
    assert ours.over(theirs, rate) == Spread(0.5, 0.5, 0.5)


def test_where_hardly_a_round_was_calm_all_count_and_nothing_is_certain() -> None:
    ours = series("gateway", {0: one(50.0, others=1.0), 1: one(60.0, others=1.0)})
    assert (ours.rounds_with(ours), ours.is_certain_with(ours)) == ([0, 1], False)


def test_events_count_by_the_items_of_each_request() -> None:
    batches, singles = series("gateway", {0: one(30.0)}, items=100), series("bare", {0: one(60.0)})
    assert batches.events_over(singles) == Spread(50.0, 50.0, 50.0)


def test_events_for_the_cpu_of_one_request() -> None:
    batches, singles = series("gateway", {0: one(1.0, cpu=5.0)}, items=100), series("bare", {0: one(1.0, cpu=0.1)})
    assert batches.events_of(singles) == Spread(2.0, 2.0, 2.0)


def test_figures_are_medians_over_the_rounds() -> None:
    figures = series("gateway", {0: one(10.0, 1.0), 1: one(30.0, 3.0), 2: one(20.0, 2.0)}, items=10)
    assert (figures.requests_per_second, figures.events_per_second) == (20.0, 200.0)
    assert (figures.cpu_per_request, figures.cpu_per_event) == (20_000.0, 2_000.0)
    assert (figures.server_share, figures.load_share) == (1.0, 0.25)
    assert figures.latency(0.5) == pytest.approx(1_065, rel=0.01)
