"""The gateway on PostgreSQL beside the gateway on SQLite, over HTTP: CPU an event, the database's apart. Measures."""

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from tests.bench.loader import Loader, check, loader
from tests.bench.postgres.server import Server
from tests.bench.rounds import Lane, Pace, order
from tests.bench.servers import BenchFailed, Contestant, Running, add_keys, gateway_command, started
from tests.bench.slices import Series, Slice
from tests.bench.spread import Spread, spread
from tests.bench.traffic import Scenario

APART = 1_000_000_000  # between the ids of load generators: what two gateways both got would be stored once
SQLITE, POSTGRES = "SQLite", "PostgreSQL"


@attrs.frozen
class Compared:
    """A scenario's slices on both engines, and the database's CPU microseconds an event in each of PostgreSQL's."""

    scenario: Scenario
    sqlite: Series
    postgres: Series
    database: Spread


def contestants(server: Server, cores: frozenset[int]) -> list[Contestant]:
    """Return the gateway on both engines."""
    return [
        Contestant(SQLITE, _serve, add_keys, is_durable=True, cores=cores),
        on_postgres(POSTGRES, server, "bench_http", cores),
    ]


def on_postgres(name: str, server: Server, database: str, cores: frozenset[int] = frozenset()) -> Contestant:
    """Return a gateway on a database, which `prepare` makes anew."""
    url = server.database(database)

    def prepare(data: Path) -> None:
        server.create(database)
        add_keys(data, ("--storage", url))

    return Contestant(name, _serve_url(url), prepare, is_durable=True, cores=cores, place=lambda _: ("--storage", url))


def compare(
    load: Loader,
    server: Server,
    running: list[Running],
    chosen: list[Scenario],
    pace: Pace,
    told: Callable[[str], None],
) -> list[Compared]:
    """Run both gateways through the scenarios in turns, every second round backwards. Raises BenchFailed."""
    found: list[Compared] = []
    for scenario in chosen:
        lanes = [Lane(each.contestant.name, each, scenario) for each in running]
        slices: dict[str, dict[int, Slice]] = {lane.name: {} for lane in lanes}
        database: list[float] = []
        for lane in lanes:
            load.send(lane.running, scenario, pace.seconds)
        for number in range(pace.rounds):
            for lane in order(lanes, number):
                told(f"{scenario.name}: round {number + 1} of {pace.rounds}: {lane.name}")
                sent, used = load.acknowledged[lane.running.port], server.cpu_seconds()
                one = load.send(lane.running, scenario, pace.seconds * (2 if scenario.items > 1 else 1))
                used, sent = server.cpu_seconds() - used, load.acknowledged[lane.running.port] - sent
                if lane.name == POSTGRES:
                    database.append(used / sent * 1e6)
                    one = attrs.evolve(one, others_cpu=one.others_cpu - used)
                slices[lane.name][number] = one
        for each in running:
            check(load, each)
        series = {name: Series(scenario.name, name, scenario.items, of) for name, of in slices.items()}
        found.append(Compared(scenario, series[SQLITE], series[POSTGRES], spread(database)))
    return found


@attrs.frozen
class Together:
    """What so many gateways on one database did together: events/s, and the CPU microseconds an event.

    `cores` is how many cores gateways, database and load generators used in all, until all of them were quiet again.
    """

    gateways: int
    rate: Spread
    gateway_cpu: Spread
    database_cpu: Spread
    cores: Spread


def curve(server: Server, folder: Path, scenario: Scenario, most: int, pace: Pace) -> list[Together]:
    """Load one gateway, then two, ... on one database, each by a load generator of its own. Raises BenchFailed."""
    found: list[Together] = []
    with contextlib.ExitStack() as stack:
        first = on_postgres("gateway 1", server, "bench_curve")
        others = [
            attrs.evolve(first, name=f"gateway {number}", prepare=lambda _: None) for number in range(2, most + 1)
        ]
        running = [stack.enter_context(started(each, folder)) for each in (first, *others)]
        loads = [stack.enter_context(loader(None, number * APART)) for number in range(most)]
        threads = stack.enter_context(ThreadPoolExecutor(most))

        def send(count: int, seconds: float) -> list[Slice]:
            return list(threads.map(lambda one: loads[one].send(running[one], scenario, seconds), range(count)))

        send(most, pace.seconds)
        measured: dict[int, list[tuple[float, float, float, float]]] = {count: [] for count in range(1, most + 1)}
        for number in range(pace.rounds):
            for count in sorted(measured, reverse=bool(number % 2)):
                acknowledged, used, began = _acknowledged(loads), server.cpu_seconds(), time.monotonic()
                slices = send(count, pace.seconds)
                seconds = time.monotonic() - began
                used, events = server.cpu_seconds() - used, _acknowledged(loads) - acknowledged
                gateways = sum([each.server_cpu + each.later_cpu for each in slices])
                rate = sum([each.requests / each.seconds for each in slices]) * scenario.items
                share = gateways / sum([each.requests for each in slices]) / scenario.items * 1e6
                cores = (gateways + used + sum([each.load_cpu for each in slices])) / seconds
                measured[count].append((rate, share, used / events * 1e6, cores))
        if (stored := running[0].count()) != _acknowledged(loads):
            raise BenchFailed(f"{most} gateways acknowledged {_acknowledged(loads)} events and stored {stored}")
        for count, rows in measured.items():
            found.append(Together(count, *[spread([row[place] for row in rows]) for place in range(4)]))
    return found


def _acknowledged(loads: list[Loader]) -> int:
    return sum([sum(each.acknowledged.values()) for each in loads])


def _serve(data: Path, port: int) -> list[str]:
    return [
        *gateway_command(),
        "serve",
        "--data",
        str(data),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-console",
    ]


def _serve_url(url: str) -> Callable[[Path, int], list[str]]:
    return lambda _data, port: [
        *gateway_command(), "serve", "--storage", url, "--host", "127.0.0.1", "--port", str(port), "--no-console",
    ]  # fmt: skip
