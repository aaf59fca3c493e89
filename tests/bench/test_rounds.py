"""Who runs in a round, and next to whom."""

from pathlib import Path

from tests.bench.rounds import CALIBRATION, compared, lanes, order
from tests.bench.servers import Contestant, Running
from tests.bench.traffic import scenarios

SINGLE, _, BATCH, _ = scenarios()


def running(name: str, port: int) -> Running:
    return Running(Contestant(name, lambda _data, _port: [], is_slow=name == "fastapi"), port, Path(), 0)


ALL = [running(name, port) for port, name in enumerate(["bare", "null", "gateway", "gateway x2", "fastapi"])]


def names(number: int) -> list[str]:
    return [lane.name for lane in order(lanes(ALL, SINGLE, SINGLE), number)]


def test_every_second_round_runs_backwards_and_the_slow_one_in_every_third() -> None:
    assert [names(number) for number in range(4)] == [
        ["null", "bare", "gateway", "gateway x2", "fastapi"],
        ["gateway x2", "gateway", "bare", "null"],
        ["null", "bare", "gateway", "gateway x2"],
        ["fastapi", "gateway x2", "gateway", "bare", "null"],
    ]


def test_batches_stand_between_what_they_are_compared_with() -> None:
    found = lanes(ALL, BATCH, SINGLE)
    assert [lane.name for lane in found] == ["bare", "null", "gateway", CALIBRATION, "gateway x2", "fastapi"]
    assert [lane.scenario.items for lane in found] == [100, 100, 100, 1, 100, 100]
    assert found[3].running is found[0].running
    assert compared(found) == BATCH.name
