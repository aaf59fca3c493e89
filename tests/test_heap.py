"""Memory goes back after a burst, and neither during one nor after a few bytes."""

from gateway.heap import BURST, Holes


def test_a_burst_that_is_over_is_given_back_once() -> None:
    trims: list[int] = []
    holes = Holes(lambda: trims.append(holes.taken))
    for taken in (BURST, BURST, 0, 0, 0, 100, 0, 0, BURST, 0):
        holes.taken += taken
        holes.look()
    assert trims == [2 * BURST, 3 * BURST + 100]


def test_the_systems_own_way_takes_no_harm() -> None:
    holes = Holes()
    holes.taken = BURST
    for _ in range(3):
        holes.look()
