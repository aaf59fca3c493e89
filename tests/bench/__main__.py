"""The command: chooses what to measure, measures it, prints it."""

import contextlib
import os
import tempfile
from pathlib import Path

import attrs
import click
from rich.console import Console

from tests.bench import goals, grow, keeping, machine, plot, profiling, report, tables
from tests.bench.loader import Loader, loader
from tests.bench.rounds import Pace, compare, lanes
from tests.bench.servers import BenchFailed, Contestant, contestants, started
from tests.bench.slices import Series
from tests.bench.tables import Table
from tests.bench.traffic import Scenario, scenarios

SCENARIOS = {scenario.name: scenario for scenario in scenarios()}


NORMAL = Pace(20, 0.3)
QUICK = Pace(5, 0.2)


@click.command()
@click.option("--quick", is_flag=True, help="Under 40 seconds; the figures are rough.")
@click.option("--only", multiple=True, type=click.Choice(list(SCENARIOS)), help="Measure this scenario; repeatable.")
@click.option("--contestant", "chosen", multiple=True, metavar="NAME", help="Measure only bare, null, gateway, ...")
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="Measure a gateway with so many workers too.")
@click.option("--grow", "events", type=click.IntRange(200_000), help="Then store so many events and follow the rate.")
@click.option("--profile", "profiled", type=click.Choice(list(SCENARIOS)), help="Only show where the CPU goes.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Where to keep data.")
@click.option(
    "--write", type=click.Path(path_type=Path), is_flag=False, flag_value="docs/performance.md",
    help="Write the tables as Markdown, to docs/performance.md unless a file is named.",
)  # fmt: skip
def main(
    quick: bool,
    only: tuple[str, ...],
    chosen: tuple[str, ...],
    workers: int,
    events: int | None,
    profiled: str | None,
    folder: Path | None,
    write: Path | None,
) -> None:
    """Measure the gateway beside a bare aiohttp handler, in one run."""
    console = Console(width=None if os.isatty(1) else 190)
    pace = QUICK if quick else NORMAL
    cores = sorted(os.sched_getaffinity(0))
    apart = len(cores) > 1
    found = contestants(workers, frozenset(cores[:1]) if apart else frozenset())
    unknown = set(chosen) - {contestant.name for contestant in found}
    if unknown:
        names = ", ".join([contestant.name for contestant in found])
        raise click.BadParameter(f"{unknown.pop()} is none of {names}", param_hint="--contestant")
    if chosen:
        found = [contestant for contestant in found if contestant.name in chosen]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as data,
            loader(cores[-1] if apart else None) as load,
        ):
            bench = Bench(console, load, Path(data), found, pace)
            bench.preamble(apart)
            if profiled is not None:
                bench.profile(SCENARIOS[profiled])
                return
            bench.compare([SCENARIOS[name] for name in only or SCENARIOS])
            if events is not None:
                bench.grow(events)
            if write is not None:
                bench.write(write)
    except BenchFailed as problem:
        raise click.ClickException(str(problem)) from None


@attrs.define
class Bench:
    """One run of the benchmark, and the tables it has shown so far."""

    console: Console
    load: Loader
    folder: Path
    contestants: list[Contestant]
    pace: Pace
    notes: list[str] = attrs.field(factory=list)
    tables: list[Table] = attrs.field(factory=list)
    growth: grow.Growth | None = None

    def preamble(self, apart: bool) -> None:
        """Say what it runs on and how."""
        where = "the server on one core, the load generator on another" if apart else "all on one core"
        for note in (
            *machine.lines(),
            f"data on {machine.filesystem(self.folder)}; {where}",
            f"{self.pace.rounds} rounds of slices of {self.pace.seconds} s, contestants interleaved; "
            f"load average before the run {machine.load_average():.1f}",
        ):
            self.note(note)

    def compare(self, chosen: list[Scenario]) -> None:
        """Run all contestants through the scenarios, then weigh what the gateways stored."""
        everything: list[Series] = []
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(started(each, self.folder)) for each in self.contestants]
            for scenario in chosen:
                with self.console.status(scenario.title) as status:
                    chosen_lanes = lanes(running, scenario, SCENARIOS[goals.SINGLE])
                    compared = compare(self.load, chosen_lanes, self.pace, status.update)
                everything += compared
                self.show(report.of_scenario(scenario, compared))
            durable = [each for each in running if each.contestant.is_durable]
            if durable:
                self.show(keeping.table([keeping.kept(each) for each in durable]))
        if goals.is_disturbed(everything):
            self.note("others used the cores during the run: rates and latencies suffer, ratios of CPU do not")
        promised = list(goals.of_comparison(everything))
        if promised:
            self.show(report.of_goals(promised))

    def grow(self, events: int) -> None:
        """Fill a new gateway."""
        contestant = next(each for each in self.contestants if each.is_durable)
        with started(contestant, self.folder) as running, self.console.status("growing") as status:
            self.growth = grow.grow(self.load, running, SCENARIOS[goals.BATCH], events, status.update)
            weighed = keeping.table([keeping.kept(running)])
        self.show(grow.table(self.growth))
        self.show(weighed)

    def profile(self, scenario: Scenario) -> None:
        """Show where the CPU of each contestant goes."""
        for contestant in self.contestants:
            if contestant.name != "bare" or len(self.contestants) == 1:
                with self.console.status(f"{contestant.name}: {scenario.title}"):
                    tables = profiling.profile(self.load, contestant, scenario, self.pace.seconds * 4, self.folder)
                for table in tables:
                    self.show(table)

    def note(self, text: str) -> None:
        """Print a line and remember it."""
        self.console.print(text, highlight=False)
        self.notes.append(text)

    def show(self, table: Table) -> None:
        """Print a table and remember it."""
        tables.show(self.console, table)
        self.tables.append(table)

    def write(self, file: Path) -> None:
        """Write the tables, and the plot of a growth beside them."""
        file.parent.mkdir(parents=True, exist_ok=True)
        parts = ["# Performance", "", "Written by `python -m tests.bench --write`.", ""]
        parts += [f"- {note}" for note in self.notes] + [""]
        parts += [tables.markdown(table) for table in self.tables]
        if self.growth is not None:
            picture = file.with_name(f"{file.stem}-growth.svg")
            points = [(float(point.stored), point.events_per_second) for point in self.growth.points]
            picture.write_text(plot.line("events/s", "stored events", points), "utf-8")
            parts.append(f"![events/s over stored events]({picture.name})\n")
        file.write_text("\n".join(parts), "utf-8")
        self.console.print(f"written: {file}")


if __name__ == "__main__":
    main()
