"""Memory goes back after a burst, and neither during one nor after a few bytes."""

from gateway.malloc_trim import BURST, IdleTrimmer


def test_a_burst_that_is_over_is_given_back_once() -> None:
    trims: list[int] = []
    trimmer = IdleTrimmer(lambda: trims.append(trimmer.bytes_received))
    for bytes_received in (BURST, BURST, 0, 0, 0, 100, 0, 0, BURST, 0):
        trimmer.bytes_received += bytes_received
        trimmer.tick()
    assert trims == [2 * BURST, 3 * BURST + 100]


def test_the_systems_own_way_takes_no_harm() -> None:
    trimmer = IdleTrimmer()
    trimmer.bytes_received = BURST
    for _ in range(3):
        trimmer.tick()
