"""What is promised, and what some made-up series say of it."""

import attrs

from tests.bench.backup import BackedUp
from tests.bench.console import Opening, Watched
from tests.bench.days import Days
from tests.bench.goals import BATCH, FLAT, GROWTH, SINGLE, Goal, Measured, goals
from tests.bench.growth import Growth, Point
from tests.bench.keeping import Kept
from tests.bench.machine_costs import Costs
from tests.bench.restart import Restart
from tests.bench.rounds import CALIBRATION
from tests.bench.slices import Series, Slice
from tests.bench.spread import Spread


def series(scenario: str, name: str, items: int, rate: float, cpu: float) -> Series:
    one = Slice(100, 1.0, rate, server_cpu=cpu, later_cpu=0.0, load_cpu=0.25, others_cpu=0.0, latencies={0: 100})
    return Series(scenario, name, items, {0: one})


def test_a_floor_and_a_ceiling() -> None:
    floor, ceiling = Goal("", Spread(0, 0.5, 1), 0.4, 0.6), Goal("", Spread(0, 0.5, 1), 0.4, 0.3, is_ceiling=True)
    assert (floor.is_met, floor.is_aim_met, ceiling.is_met, ceiling.is_aim_met) == (True, False, False, False)


def test_a_figure_without_a_promise_keeps_none() -> None:
    assert not Goal("bytes", Spread(1, 1, 1)).is_met


SCENARIOS = [
    series(SINGLE, "bare", 1, 20_000, 0.005),
    series(SINGLE, "gateway", 1, 10_000, 0.01),
    series(BATCH, "null", 100, 800, 0.1),
    series(BATCH, "gateway", 100, 400, 0.2),
    series(BATCH, CALIBRATION, 1, 40_000, 0.005),
    series(FLAT, "gateway", 100, 400, 0.31),
    series(FLAT, CALIBRATION, 1, 40_000, 0.005),
    series(BATCH, "gateway x2", 100, 600, 0.2),
    series(BATCH, "fastapi", 100, 20, 4.0),
]
KEPT = Kept("gateway", 1_000, 500_000, 2**20, Spread(1, 200_000, 3), Spread(1, 6, 9))
POINTS = tuple(Point(stored, 30_000, 20_000, 30.0, 1_000, 2**26) for stored in (100_000, 1_500_000))
GROWN = Growth(
    100_000,
    2**26,
    2**26,
    POINTS,
    series(BATCH, "grown", 100, 90, 0.2),
    series(BATCH, "fresh", 100, 100, 0.2),
    KEPT,
    Restart(1_550_000, 1.5, 1.25),
)


def test_every_promise_in_its_order() -> None:
    found = goals(Measured(SCENARIOS, None, GROWN))
    assert [(goal.text, round(goal.measured.middle, 6), goal.is_met, goal.is_aim_met) for goal in found] == [
        ("single event: CPU over the bare handler's", 2.0, True, True),
        ("single event: requests/s over the bare handler's", 0.5, True, False),
        ("single event: p99 over the bare handler's, 64 connections", 1.0, True, False),
        ("Databuddy batch: CPU us an event where bare takes 31 us", 19.22, False, False),
        ("batch: events/s over the null store's", 0.5, True, False),
        ("batch: events/s over FastAPI + SQLAlchemy", 20.0, True, True),
        ("batch: events/s on a core of 20,000 bare requests/s", 20_000.0, False, False),
        ("Tranthor batch: CPU an event, gateway x2 over one", 1.0, True, False),
        ("batch: events/s, gateway x2 over one", 1.5, True, False),
        ("batch: rate at 1.5 million stored events over that at 0.1 million", 0.9, True, True),
        ("memory after a million events over that after 10,000", 1.0, True, True),
        ("memory after 1.5 million events, MiB", 1.0, False, False),
        ("start after a kill, seconds", 1.5, False, False),
        ("export: events/s where bare takes 31 us", 193_548.387097, False, False),
        ("bytes on disk an event", 500.0, False, False),
    ]


def test_what_is_promised_at_ten_million_is_held_against_a_store_so_grown() -> None:
    points = (*POINTS, attrs.evolve(POINTS[0], stored=9_950_000))
    found = goals(Measured([], None, attrs.evolve(GROWN, points=points)))
    assert [(goal.text, goal.is_met) for goal in found][2:4] == [
        ("memory after 9.9 million events, MiB", True),
        ("start after a kill, seconds", True),
    ]


def test_each_promise_stands_beside_what_the_machine_took_then() -> None:
    costs = {SINGLE: Costs(8.0, 0.02, 1_500.0), GROWTH: Costs(9.0, 0.03, 1_500.0)}
    found = list(goals(Measured(SCENARIOS, None, GROWN, costs)))
    assert [found[index].machine for index in (0, 4, -1)] == [
        "bare 50 us, send+receive 8.0 us, 1,000 turns of Python 20 us, sync 1.50 ms",
        "bare 50 us",
        "bare 20,000 requests/s, send+receive 9.0 us, 1,000 turns of Python 30 us, sync 1.50 ms",
    ]


def test_on_a_shared_core_only_the_cpu_is_certain() -> None:
    slow = Slice(100, 1.0, 20_000, server_cpu=0.5, later_cpu=0.0, load_cpu=0.25, others_cpu=0.5, latencies={0: 100})
    shared = [Series(SINGLE, name, 1, {0: slow}) for name in ("bare", "gateway")]
    assert [goal.certain for goal in goals(Measured(shared))] == [True, False, False]


def test_what_was_not_measured_is_left_out() -> None:
    assert list(goals(Measured([series(BATCH, "gateway", 100, 400, 0.2)]))) == []


def test_a_day_of_ten_million_events_is_promised_in_a_second() -> None:
    fast, slow = Spread(0.7, 0.8, 0.9), Spread(1.0, 1.1, 1.2)
    read = Days(10_000_000, 100_000, fast, slow, Spread(0.1, 0.2, 0.3))
    found = goals(Measured([], days=read))
    assert [(goal.text, goal.measured.middle, goal.least, goal.is_met) for goal in found] == [
        ("export of one day of 10.0 million events, seconds", 0.8, 1.0, True),
        ("the same of the events of one name, seconds", 1.1, 1.0, False),
        ("lag of `events tail`, seconds", 0.2, None, False),
    ]
    small = goals(Measured([], days=attrs.evolve(read, events=200_000)))
    assert [goal.least for goal in small] == [None, None, None]


def rounds(cpu: float, latency: int) -> dict[int, Slice]:
    one = Slice(
        1_000, 1.0, 1_000, server_cpu=cpu, later_cpu=0.0, load_cpu=0.0, others_cpu=0.9, latencies={latency: 1_000}
    )
    return dict.fromkeys(range(7), one)


def test_a_console_that_is_open_is_held_against_a_gateway_without_one() -> None:
    watched = Watched(rounds(0.10, 100), rounds(0.11, 100), 190_000_000)
    opening = Opening(10_000_000, 0.25, Spread(0.1, 0.2, 0.3))
    found = goals(Measured([], opening=opening, watched=watched))
    assert [(goal.text, round(goal.measured.middle, 2), goal.is_met) for goal in found] == [
        ("the console's overview at 10.0 million events, seconds", 0.2, True),
        ("single event: p99 with the console open and a tail, over without", 1.0, True),
        ("single event: CPU of serve with the console open and a tail, over without", 1.1, False),
        ("memory of serve and its console at rest, MiB", 181.2, True),
    ]


def test_backups_are_held_against_a_gateway_without_them() -> None:
    made = BackedUp(400_000, 1 << 28, 1 << 25, Spread(20, 30, 40), 90, rounds(0.1, 100), rounds(0.1, 150))
    found = goals(Measured([], backed_up=made))
    assert [(goal.text, round(goal.measured.middle, 2), goal.least, goal.beside) for goal in found] == [
        (
            "backup of 0.4 million events while serving: MB of events.db a second",
            30,
            None,
            "90 at rest; 256 MiB become 32 MiB",
        ),
        ("single event: p99 while backups are made, over without", 1.64, None, "4 us over 3"),
    ]
