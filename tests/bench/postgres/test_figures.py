from pathlib import Path

import pytest

from tests.bench.postgres.append import Run
from tests.bench.postgres.command import put
from tests.bench.postgres.compare import Beside
from tests.bench.postgres.entries import LOADS, SINGLE, entries
from tests.bench.postgres.figures import goals_of_append, of_sizes
from tests.bench.postgres.server import Weight
from tests.bench.servers import BenchFailed
from tests.bench.tables import Table


def run(seconds: float) -> Run:
    return Run(events=100, groups=2, seconds=seconds, cpu=0.01)


def test_a_rate_is_held_against_the_other_just_before_and_just_after_it() -> None:
    beside = Beside(SINGLE, ours=[run(2.0), run(2.0)], theirs=[run(1.0), run(3.0)], database_cpu=[0.1, 0.1])
    assert (beside.ratio.low, beside.ratio.middle, beside.ratio.high) == (0.625, 0.75, 0.875)
    assert goals_of_append([beside]) == [
        ("storage.append, one event: rate over the bare statements'", "0.75", "0.62–0.88", "0.80", "NO")
    ]


def test_small_tables_are_only_in_the_sum_of_all() -> None:
    assert of_sizes(10, [Weight("events", 1000, 100), Weight("state", 8, 0)]) == Table(
        "Bytes an event, of 10",
        ("table", "rows", "indexes", "together"),
        (("events", "100", "10", "110"), ("all", "101", "10", "111")),
    )


def test_entries_have_ids_of_their_own() -> None:
    made = [next(entries(load.items, first, lambda: 1.0)) for first, load in enumerate(LOADS)]
    assert [len(each.rows) for each in made] == [1, 100]
    keys = [row.key for each in made for row in each.rows]
    assert len(set(keys)) == len(keys)


def test_figures_go_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- a -->\nafter\n")
    put(page, "<!-- a -->", "new")
    assert page.read_text() == "before\n<!-- a -->\n\nnew\n<!-- a -->\nafter\n"
    with pytest.raises(BenchFailed):
        put(page, "<!-- b -->", "new")
