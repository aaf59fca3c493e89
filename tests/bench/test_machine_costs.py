"""What a machine takes: positive figures, and the middle of several."""

from pathlib import Path

import attrs

from tests.bench.machine_costs import Costs, costs, middle


def test_the_costs_of_this_machine_are_measured_and_leave_no_file(tmp_path: Path) -> None:
    assert all(value > 0 for value in attrs.astuple(costs(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_the_middle_of_several_is_that_of_each_figure() -> None:
    assert middle([Costs(1, 5, 9), Costs(2, 4, 7), Costs(3, 6, 8)]) == Costs(2, 5, 8)
