"""What `python -m tests.bench --storage ...` runs: everything about PostgreSQL, or the parts that were asked for."""

import os
import tempfile
from pathlib import Path

import attrs
from rich.console import Console

from tests.bench.postgres.bench import PostgresBench
from tests.bench.postgres.server import serving
from tests.bench.rounds import Pace
from tests.bench.servers import BenchFailed
from tests.bench.tables import Table, markdown
from tests.bench.traffic import Scenario

PARTS = ("append", "http", "gateways", "grow")
GROWN = 1_000_000
FIGURES, SIZES = "<!-- figures -->", "<!-- sizes -->"
"""Each stands before and after what is written to the page."""


@attrs.frozen
class Asked:
    """What to measure: the parts, the scenarios of those over HTTP, and how many events to grow to."""

    pace: Pace
    parts: tuple[str, ...]
    scenarios: list[Scenario]
    events: int


def measure(console: Console, storage: str, folder: Path | None, asked: Asked, page: Path | None) -> None:
    """Measure and show; with a page, put the tables between its marks. Raises BenchFailed."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as data, serving(storage) as server:
        bench = PostgresBench(console, server, Path(data), asked.pace, cores)
        lines = bench.preamble()
        if "append" in asked.parts:
            bench.append()
        if "http" in asked.parts:
            bench.http(asked.scenarios)
        if "gateways" in asked.parts:
            for scenario in asked.scenarios:
                bench.curve(scenario)
        if "grow" in asked.parts:
            bench.grow(asked.events)
        bench.judge()
    if page is not None:
        shown = [bench.shown[-1], *bench.shown[:-1]]  # the goals first
        put(page, FIGURES, "\n".join([*[f"- {line}" for line in lines], "", *[_section(each) for each in shown]]))
        if bench.days is not None:
            put(page, SIZES, _section(bench.days).partition("\n\n")[2])
        console.print(f"written: {page}")


def put(page: Path, mark: str, text: str) -> None:
    """Put a text between the two marks of a page."""
    before, _, rest = page.read_text("utf-8").partition(mark)
    _, second, after = rest.partition(mark)
    if not second:
        raise BenchFailed(f"{page} has no two lines {mark}")
    page.write_text(f"{before}{mark}\n\n{text}\n{mark}{after}", "utf-8")


def _section(table: Table) -> str:
    """Return a table under a heading of the third level."""
    return f"#{markdown(table)}"
