"""Every request has bounds, whoever sends it: memory, CPU, disk, and how long others wait meanwhile.

The worst requests that we know are in hostile.py and in tests/dialects/<dialect>/hostile.py; what a cost is held
against is in tests/kit/bounds.py. Each dialect has a gateway of its own, which has time to give memory back while the
others are asked.
"""

import gzip
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from tests.faults.figures import Figure
from tests.faults.lives import watched
from tests.faults.traffic import Keys, keys_of
from tests.faults.wire import request
from tests.kit.bounds import (
    DISK_AN_ITEM,
    DISK_AT_LEAST,
    KIB,
    LONGEST_WAIT,
    MIB,
    Cost,
    Hostile,
    beyond,
    canary,
    connected,
    disk_bytes,
    least,
    measure,
    resident_bytes,
    status_of,
)
from tests.kit.machine_speed import slowness
from tests.kit.serving import Served
from tests.security.hostile import cases, targets, well_formed

CASES = {case.name: case for case in cases(every=True)}
USUAL = [case.name for case in cases()]
SIZES = (64 * KIB, 2 * MIB - 1000)  # of the well-formed bodies: the cost of others is in between, on a line
SMALL = 256 * KIB  # what is smaller is held against a well-formed body of this size: threads take turns for some 20 ms
FRESH = 8 * MIB  # of memory over a new gateway's: what stays for a moment
PATIENCE = 3.0
SETTLES = 0.4  # seconds after which what a gateway was asked before is given back: a quarter of one, and some room
STAYS = 32 * MIB  # of memory that may stay behind anything
NO_RING = {"GATEWAY_REJECTED_MEGABYTES": "0"}  # it works a second later: that is the last test's


@attrs.frozen
class Gateway:
    """A gateway that is measured, and what it holds of memory when nothing is asked of it."""

    served: Served
    keys: Keys
    resident: int

    def cost(self, hostile: Hostile) -> Cost:
        """Return what a request costs, measured once."""
        deadline = time.monotonic() + SETTLES
        while resident_bytes(self.served) > self.resident + FRESH and time.monotonic() < deadline:
            time.sleep(0.05)
        return measure(self.served, hostile)


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Gateway]]:
    folder = tmp_path_factory.mktemp("bounds")
    with ExitStack() as stack:
        found = {}
        for name in [*(each.name for each in targets()), "other"]:
            served = stack.enter_context(watched(folder / name, env=NO_RING, new_python=True))
            keys = keys_of(served.greeting)
            for size in SIZES:
                measure(served, well_formed(keys, size))  # all code has run, all pools are filled
            found[name] = Gateway(served, keys, resident_bytes(served))
        yield found


@pytest.fixture(scope="module")
def ordinary(gateways: dict[str, Gateway]) -> tuple[float, float]:
    """Return the CPU of a well-formed body on the loop: seconds for any, and seconds for each byte more."""
    gateway = gateways["other"]
    small, large = (_ordinary(gateway, size).loop for size in SIZES)
    each = (large - small) / (SIZES[1] - SIZES[0])
    return max(0.001, small - each * SIZES[0]), each


def _ordinary(gateway: Gateway, size: int) -> Cost:
    hostile = well_formed(gateway.keys, size)
    return least(lambda: gateway.cost(hostile))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Send the usual requests, or with `--every-bound` all of them to all dialects."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", CASES if metafunc.config.getoption("every_bound") else USUAL)


def test_a_hostile_request_is_within_the_bounds(
    gateways: dict[str, Gateway], ordinary: tuple[float, float], figure: Figure, name: str
) -> None:
    gateway = gateways.get(name.partition(":")[0], gateways["other"])
    hostile = CASES[name].made(gateway.keys)
    well_formed = ordinary[0] + ordinary[1] * max(SMALL, hostile.size)
    cost = least(lambda: gateway.cost(hostile), lambda cost: beyond(cost, hostile, well_formed) == [])
    figure(str(cost))
    assert beyond(cost, hostile, well_formed) == []
    assert {status for status in cost.statuses if status >= 500} == set()


def distinct(keys: Keys, number: int) -> bytes:
    """Return a request with words of its own in each place where a word might be remembered."""
    word = f"made-up-{number:06d}-"
    body = b'{"apiKey":"%s","event":"e"}' % (word.encode() * (1_900_000 // len(word)))
    headers = {"Content-Encoding": "gzip", "X-Token": word * 100, "Origin": f"https://{word}.example"}
    return request(f"/api/v1/track?token={word}", gzip.compress(body, 6), headers)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_strangers_send_again_and_again_leaves_nothing_behind(
    tmp_path: Path, figure: Figure, workers: str
) -> None:
    with watched(tmp_path / "data", "--workers", workers, new_python=True) as served:
        keys = keys_of(served.greeting)
        for size in SIZES * 2:
            measure(served, well_formed(keys, size))
        before = resident_bytes(served)
        for number in range(100):
            assert status_of(served.url, distinct(keys, number)) in (400, 401, 413)
        half = request("/track", b"x" * 2_000_000)[:1_500_000]
        for _ in range(10):
            with ExitStack() as open_ones:
                for _ in range(8):
                    open_ones.enter_context(connected(served.url)).sendall(half)
        deadline = time.monotonic() + 4 * PATIENCE
        while resident_bytes(served) > before + STAYS and time.monotonic() < deadline:
            time.sleep(0.1)
        left = resident_bytes(served) - before
        assert served.stop() == 0
    figure(f"{left / MIB:.1f} MiB after 100 made-up keys of 1.9 MB and 80 uploads that broke off")
    assert left < STAYS


def test_all_of_it_together_keeps_nobody_waiting_and_fills_no_disk(tmp_path: Path, figure: Figure) -> None:
    """With what was refused being kept, a second later, in another thread."""
    with watched(tmp_path / "data", new_python=True) as served:
        keys = keys_of(served.greeting)
        disk = disk_bytes(served.data)
        hostile = [CASES[name].made(keys) for name in USUAL if CASES[name].together]
        with canary(served) as waits:
            for each in hostile:
                assert status_of(served.url, each.raw) < 500
            time.sleep(PATIENCE)
        grown, longest = disk_bytes(served.data) - disk, sorted(waits)[-4:]  # but three: the machine is not ours alone
        started = time.monotonic()
        assert served.stop() == 0
        stopped = time.monotonic() - started
    most = sum(each.size + DISK_AT_LEAST + DISK_AN_ITEM * each.items for each in hostile)
    figure(f"{len(hostile)} requests: {grown / MIB:.1f} MiB of disk of {most / MIB:.0f}, waits of {longest} s")
    assert grown < most
    assert longest[0] < LONGEST_WAIT * slowness()
    assert stopped < PATIENCE
