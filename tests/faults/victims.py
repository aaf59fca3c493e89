"""Which process of a gateway dies next, how, and how it is seen that another took its place. No load here."""

import random
import time

from tests.kit.serving import Served
from tests.workers.crowd import family, gone, kill

ALL, MAIN, WRITER, FRONT = "all at once", "main process", "writer", "one front"
RESTARTED = 20.0  # seconds: the wait before a start doubles where the same process is killed again and again


def drawn(cycles: int, workers: int, chance: random.Random) -> list[str]:
    """Return whom to kill, each as often as any other and in no order; the last kill leaves nobody."""
    if workers == 1:
        return [MAIN] * cycles
    kinds = (WRITER, FRONT, ALL, MAIN)
    victims = [kinds[number % len(kinds)] for number in range(cycles)]
    chance.shuffle(victims)
    return victims


def survives(victim: str) -> bool:
    """Return whether the gateway goes on without that one."""
    return victim in (WRITER, FRONT)


def everybody(served: Served) -> list[int]:
    """Return the processes of a gateway, its main one first: what is killed in that order starts nobody again."""
    return [served.process.pid, *family(served.process.pid).values()]


def strike(served: Served, victim: str, chance: random.Random) -> None:
    """Kill -9 a victim; where the gateway goes on, return once another process stands in its place."""
    pid = served.process.pid
    if not survives(victim):
        processes = everybody(served)
        for each in processes if victim == ALL else processes[:1]:
            kill(each)
        served.process.wait()
        gone(processes[1:])
        return
    before = family(pid)
    name = victim if victim == WRITER else chance.choice(sorted(set(before) - {WRITER}))
    kill(before[name])
    _replaced(pid, before, name)


def _replaced(pid: int, before: dict[str, int], name: str) -> None:
    deadline = time.monotonic() + RESTARTED
    while not _as_it_was(family(pid), before, name):
        assert time.monotonic() < deadline, f"no other {name} was started"
        time.sleep(0.01)


def _as_it_was(now: dict[str, int], before: dict[str, int], name: str) -> bool:
    """Return whether there are the same processes, but for one that is another one now."""
    return now.keys() == before.keys() and [each for each in before if now[each] != before[each]] == [name]
