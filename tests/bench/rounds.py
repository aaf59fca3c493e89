"""Paired rounds: all contestants in short slices one after the other, forwards and then backwards, again and again."""

from collections.abc import Callable, Sequence

import attrs

from tests.bench.loader import Loader, check
from tests.bench.servers import Running
from tests.bench.slices import Series, Slice
from tests.bench.traffic import Scenario

CALIBRATION = "bare, one event"
LONG = 3  # a slow contestant runs in every third round, in slices three times as long
BATCH = 2  # slices of batches are twice as long: some hundred requests must fit in


@attrs.frozen
class Pace:
    """How many rounds, and of how many seconds the slices of single events."""

    rounds: int
    seconds: float


@attrs.frozen
class Lane:
    """One contestant under one scenario's load: what runs in a round."""

    name: str
    running: Running
    scenario: Scenario
    is_slow: bool = False


def order(lanes: Sequence[Lane], number: int) -> list[Lane]:
    """Return who runs in a round, in turn: every second round runs backwards, so that a drift of the machine cancels.

    An odd distance between a slow lane's rounds lets it run forwards and backwards too.
    """
    running = [lane for lane in lanes if number % LONG == 0 or not lane.is_slow]
    return running[::-1] if number % 2 else running


def lanes(running: Sequence[Running], scenario: Scenario, calibration: Scenario) -> list[Lane]:
    """Return the lanes of a scenario, those side by side that are compared most.

    In a batch scenario the bare handler runs once more with single events, which tell how fast the core is just then.
    """
    found = [Lane(each.contestant.name, each, scenario, each.contestant.is_slow) for each in running]
    if scenario.items > 1:
        found += [Lane(CALIBRATION, each, calibration) for each in running if each.contestant.name == "bare"]
        first = ["bare", "null", "gateway", CALIBRATION]
    else:
        first = ["null", "bare", "gateway"]
    return sorted(found, key=lambda lane: first.index(lane.name) if lane.name in first else len(first))


def compare(load: Loader, chosen: Sequence[Lane], pace: Pace, told: Callable[[str], None]) -> list[Series]:
    """Return what each lane did. What it answered 2xx it must have stored. Raises BenchFailed."""
    slices: dict[str, dict[int, Slice]] = {lane.name: {} for lane in chosen}
    for lane in chosen:
        load.send(lane.running, lane.scenario, pace.seconds)  # the first requests find cold caches; not measured
    for number in range(pace.rounds):
        for lane in order(chosen, number):
            told(f"round {number + 1} of {pace.rounds}: {lane.name}")
            slices[lane.name][number] = load.send(lane.running, lane.scenario, _seconds(lane, pace))
    for running in {lane.running.port: lane.running for lane in chosen}.values():
        check(load, running)
    return [Series(compared(chosen), lane.name, lane.scenario.items, slices[lane.name]) for lane in chosen]


def compared(chosen: Sequence[Lane]) -> str:
    """Return the name of the scenario that lanes are compared in: the calibration among them has another one's load."""
    return chosen[0].scenario.name


def _seconds(lane: Lane, pace: Pace) -> float:
    return pace.seconds * (BATCH if lane.scenario.items > 1 else 1) * (LONG if lane.is_slow else 1)
