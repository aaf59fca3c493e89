"""One run of the benchmark: measures what was chosen, shows it as it comes, and remembers it for the page."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
from rich.console import Console

from tests.bench import backup, days, goals, grow, keeping, machine, page, profiling, report, tables
from tests.bench import console as watching
from tests.bench.growth import Growth, growth_table
from tests.bench.loader import Loader
from tests.bench.machine_costs import Costs, costs, middle
from tests.bench.rounds import Pace, compare, lanes
from tests.bench.servers import Contestant, Running, started
from tests.bench.slices import Series, rate
from tests.bench.tables import Table
from tests.bench.traffic import Scenario, scenarios

SCENARIOS = {scenario.name: scenario for scenario in scenarios()}
PROFILE_SECONDS = 6.0
TOLD_SECONDS = 15.0  # between lines of progress where there is no terminal


@attrs.define
class Bench:
    """One run, what it has measured and the tables it has shown so far."""

    console: Console
    load: Loader
    folder: Path
    contestants: list[Contestant]
    pace: Pace
    machine: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    tables: list[Table] = attrs.field(factory=list)
    series: list[Series] = attrs.field(factory=list)
    costs: dict[str, Costs] = attrs.field(factory=dict)
    kept: keeping.Kept | None = None
    growth: Growth | None = None
    one_day: days.Days | None = None
    opening: watching.Opening | None = None
    watched: watching.Watched | None = None
    backed_up: backup.BackedUp | None = None
    _told: float = 0.0

    def preamble(self, is_apart: bool) -> None:
        """Say what it runs on."""
        where = "the server on one core, the load generator on another" if is_apart else "all on one core"
        self.machine += machine.lines()
        self.machine.append(f"data on {machine.filesystem(self.folder)}; {where}")
        self.machine.append(f"load average before the run {machine.load_average():.1f}")
        for line in self.machine:
            self.console.print(line, highlight=False)

    def compare(self, chosen: list[Scenario]) -> None:
        """Run all contestants through the scenarios, then weigh what the gateways stored."""
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(started(each, self.folder)) for each in self.contestants]
            for scenario in chosen:
                with self.console.status(scenario.title) as status, self._costs(scenario.name):
                    told = self._teller(scenario.name, status.update)
                    compared = compare(self.load, lanes(running, scenario, SCENARIOS[goals.SINGLE]), self.pace, told)
                self.series += compared
                self.show(report.of_scenario(scenario, compared))
            self._weigh(running)

    def grow(self, events: int) -> None:
        """Fill a new gateway beside a bare handler."""
        by_name = {each.name: each for each in self.contestants}
        with self.console.status("growing") as status, self._costs(goals.GROWTH):
            self.growth = grow.grow(
                self.load,
                (by_name["gateway"], by_name["bare"]),
                (SCENARIOS[goals.BATCH], SCENARIOS[goals.SINGLE]),
                events,
                self.folder,
                self._teller("growing", status.update),
            )
        self.show(growth_table(self.growth))

    def read_days(self, events: int) -> None:
        """Make a log of many days, export one of them and follow it."""
        gateway = next(each for each in self.contestants if each.name == "gateway")
        with self.console.status("days") as status, self._costs(goals.DAYS):
            self.one_day = days.measure(gateway, events, self.folder, self._teller("days", status.update))
            self.opening = watching.opening(self.folder / "days", self.one_day.events)

    def watch(self) -> None:
        """Load a gateway in turn without a console and with one that is open."""
        gateway = next(each for each in self.contestants if each.name == "gateway")
        single = SCENARIOS[goals.SINGLE]
        with self.console.status("console") as status, self._costs(goals.CONSOLE):
            told = self._teller("console", status.update)
            self.watched = watching.watch(self.load, gateway, single, self.folder, told)

    def back_up(self) -> None:
        """Load a gateway in turn alone and beside backups that are made of it."""
        gateway = next(each for each in self.contestants if each.name == "gateway")
        with self.console.status("backup") as status, self._costs(goals.BACKUP):
            told = self._teller("backup", status.update)
            self.backed_up = backup.measure(self.load, gateway, SCENARIOS[goals.SINGLE], self.folder, told)

    def profile(self, scenario: Scenario) -> None:
        """Show where the CPU of each contestant goes."""
        for contestant in self.contestants:
            if contestant.name != "bare" or len(self.contestants) == 1:
                with self.console.status(f"{contestant.name}: {scenario.title}"):
                    found = profiling.profile(self.load, contestant, scenario, PROFILE_SECONDS, self.folder)
                for table in found:
                    tables.show(self.console, table)

    def judge(self, command: str) -> page.Page:
        """Hold what was measured against what was promised, and return all that a page shows."""
        promised = list(goals.goals(self._measured()))
        if not all(goal.certain for goal in promised):
            self.notes.append("Unsure: others used the cores in most rounds; rates and latencies suffer, CPU less.")
        table = report.of_goals(promised) if promised else None
        if table is not None:
            tables.show(self.console, table)
        for note in self.notes:
            self.console.print(note, highlight=False)
        return page.Page(command, self.machine, self.notes, self.pace, promised, table, self.tables, self.growth)

    def _measured(self) -> goals.Measured:
        return goals.Measured(
            self.series,
            self.kept,
            self.growth,
            self.costs,
            self.one_day,
            self.opening,
            self.watched,
            self.backed_up,
        )

    def show(self, table: Table) -> None:
        """Print a table and remember it."""
        tables.show(self.console, table)
        self.tables.append(table)

    @contextlib.contextmanager
    def _costs(self, what: str) -> Iterator[None]:
        """Measure what the machine takes, before and after something is compared on it."""
        before = [costs(self.folder) for _ in range(2)]
        yield
        self.costs[what] = middle(before + [costs(self.folder) for _ in range(2)])

    def _weigh(self, running: list[Running]) -> None:
        bare = next((each for each in running if each.contestant.name == "bare"), None)
        durable = [each for each in running if each.contestant.is_durable and each.count() >= keeping.FEWEST]
        if bare is None or not durable:
            return

        def glance() -> float:
            return rate(self.load.send(bare, SCENARIOS[goals.SINGLE], self.pace.seconds))

        weighed = [keeping.kept(each, glance) for each in durable]
        self.kept = weighed[0]
        self.show(keeping.table(weighed))

    def _teller(self, what: str, update: Callable[[str], None]) -> Callable[[str], None]:
        """Return who tells how far it is: at once on a terminal, now and then in a log."""

        def tell(text: str) -> None:
            update(f"{what}: {text}")
            if not os.isatty(1) and time.monotonic() - self._told > TOLD_SECONDS:
                self._told = time.monotonic()
                self.console.print(f"{what}: {text}", highlight=False)

        return tell
