"""The pictures: well-formed, and true to the figures."""

from xml.etree import ElementTree as ET

from tests.bench.goals import Goal
from tests.bench.plot import Line, bars, growth, kept
from tests.bench.spread import Spread

FLOOR = Goal("a rate & more", Spread(0, 0.6, 1), 0.5, 1.0)
CEILING = Goal("a cost", Spread(0, 4.0, 9), 2.0, 1.0, is_ceiling=True)


def test_longer_is_better_for_floors_and_ceilings() -> None:
    assert [kept(goal, goal.measured.middle) for goal in (FLOOR, CEILING)] == [1.2, 0.5]
    assert [kept(goal, 1.0) for goal in (FLOOR, CEILING)] == [2.0, 2.0]


def test_a_bar_for_each_promise_and_none_for_a_bare_figure() -> None:
    drawn = ET.fromstring(bars([FLOOR, Goal("bytes", Spread(1, 1, 1)), CEILING]))
    widths = [each.get("width") for each in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths == ["760", "142.1", "59.2"]


def test_a_line_starts_and_ends_where_its_points_do() -> None:
    drawn = ET.fromstring(growth("rate", [Line("evened", [(0.0, 0.0), (1e6, 40_000.0)])]))
    lines = [each.get("points") for each in drawn.iter("{http://www.w3.org/2000/svg}polyline")]
    assert lines == ["70.0,292.0 736.0,54.0"]
