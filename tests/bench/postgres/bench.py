"""One run of the PostgreSQL benchmark: what is measured, in which order, and how it is shown."""

import contextlib
import time
from pathlib import Path

import attrs
import uvloop
from rich.console import Console

from tests.bench import machine, tables
from tests.bench.loader import loader
from tests.bench.postgres import figures
from tests.bench.postgres.compare import Beside, append_beside_statements, append_to_both, store
from tests.bench.postgres.entries import LOADS, SINGLE, Load
from tests.bench.postgres.growth import preload
from tests.bench.postgres.http import Compared, Together, compare, contestants, curve
from tests.bench.postgres.server import Server, Weight, weights
from tests.bench.rounds import Pace
from tests.bench.servers import started
from tests.bench.tables import Table
from tests.bench.traffic import Scenario

SMALL = 100_000
GATEWAYS = 3
APART = 1_000_000_000  # between the numbers of events whose ids must differ


@attrs.define
class PostgresBench:
    """One run, and the tables it has shown so far."""

    console: Console
    server: Server
    folder: Path
    pace: Pace
    cores: list[int]
    shown: list[Table] = attrs.field(factory=list)
    goals: list[tuple[str, ...]] = attrs.field(factory=list)
    days: Table | None = None
    _http: list[Compared] = attrs.field(factory=list)
    _next: int = 0

    def preamble(self) -> list[str]:
        """Say what it runs on."""
        lines = [*machine.lines(), *self.server.lines()]
        lines.append(f"SQLite's data on {machine.filesystem(self.folder)}; load {machine.load_average():.1f} before")
        for line in lines:
            self.console.print(line, highlight=False)
        return lines

    def append(self) -> None:
        """Hold storage.append against the bare statements."""
        rows: list[Beside] = []
        for load in LOADS:
            ours, bare = self.server.create("bench_append"), self.server.create("bench_bare")
            self._tell(f"storage.append, {load.name}")
            rows.append(
                uvloop.run(
                    append_beside_statements(ours, bare, load, self._first(), self.pace.rounds, self.server.cpu_seconds)
                )
            )
        self._drop("bench_append", "bench_bare")
        self._show(figures.of_append(rows))
        self.goals += figures.goals_of_append(rows)

    def http(self, chosen: list[Scenario]) -> None:
        """Hold the gateway on PostgreSQL against the gateway on SQLite, over HTTP."""
        apart = len(self.cores) > 1
        both = contestants(self.server, frozenset(self.cores[:1]) if apart else frozenset())
        with contextlib.ExitStack() as stack:
            load = stack.enter_context(loader(self.cores[-1] if apart else None))
            running = [stack.enter_context(started(each, self.folder)) for each in both]
            found = self._http = compare(load, self.server, running, chosen, self.pace, self._tell)
        self._drop("bench_http")
        self._show(figures.of_http(found))
        self.goals += figures.goals_of_http(found)

    def grow(self, events: int) -> None:
        """Hold a database with so many events against one with SMALL of them."""
        rows: list[tuple[Beside, int, int]] = []
        grown, small = self.server.create("bench_grown"), self.server.create("bench_small")
        for url, count in ((small, SMALL), (grown, events)):
            uvloop.run(store(url, SINGLE, self._first(), SINGLE.callers))
            self._tell(f"{count:,} events are written inside the server")
            preload(url, count, 1)
        for load in LOADS:
            self._tell(f"{load.name}: {events:,} events beside {SMALL:,}")
            self.server.checkpoint()
            beside = uvloop.run(
                append_to_both(grown, small, load, self._first(), self.pace.rounds, self.server.cpu_seconds)
            )
            rows.append((beside, *self._wal(grown, load)))
        sizes: list[Weight] = weights(grown)
        stored = events + SINGLE.callers + sum([sum([each.events for each in beside.ours]) for beside, _, _ in rows])
        self._drop("bench_grown", "bench_small")
        self._show(figures.of_growth(events, SMALL, rows))
        self._show(figures.of_sizes(stored, sizes))
        if self._http:
            total = sum([each.rows + each.indexes for each in sizes])
            self.days = figures.of_days(self._http, rows, stored, total)
            tables.show(self.console, self.days)
        self.goals += figures.goals_of_growth(events, SMALL, rows)

    def curve(self, scenario: Scenario) -> None:
        """Follow the rate of one gateway, two and three on one database."""
        self._tell(f"{scenario.name}: one to {GATEWAYS} gateways")
        found: list[Together] = curve(self.server, self.folder, scenario, GATEWAYS, self.pace)
        self._drop("bench_curve")
        self._show(figures.of_curve(scenario, found, len(self.cores)))

    def judge(self) -> None:
        """Show what was promised beside what was measured."""
        self._show(figures.of_goals(self.goals))

    def _wal(self, url: str, load: Load) -> tuple[int, int]:
        """Return the bytes of WAL an event: just after a checkpoint, and then once more."""
        self.server.checkpoint()
        found: list[int] = []
        for _ in range(2):
            before = self.server.wal_position()
            stored = uvloop.run(store(url, load, self._first()))
            found.append((self.server.wal_position() - before) // stored)
        return found[0], found[1]

    def _first(self) -> int:
        self._next += APART
        return self._next

    def _drop(self, *names: str) -> None:
        for name in names:
            self.server.drop(name)

    def _show(self, table: Table) -> None:
        tables.show(self.console, table)
        self.shown.append(table)

    def _tell(self, text: str) -> None:
        self.console.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False)
