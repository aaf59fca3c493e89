"""What the kernel says of a process and all its children: CPU seconds and memory. Linux only."""

import os
import time
from pathlib import Path

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")
_SCHED = 2  # CPUCLOCK_SCHED of the kernel's numbering of other processes' CPU clocks


def cpu_clocks(pid: int) -> list[int]:
    """Return the CPU clocks of a process and its descendants; they count nanoseconds, where /proc counts hundredths."""
    return [(~each << 3) | _SCHED for each in tree(pid)]


def cpu_seconds(clocks: list[int]) -> float:
    """Return what the clocks say together; a process that is gone has none."""
    return sum(map(_read, clocks))


def busy_seconds() -> float:
    """Return what all cores have done so far, for whomever; what a hypervisor took away counts as done for others."""
    user, nice, system, _, _, *rest = (_PROC / "stat").read_text("ascii").partition("\n")[0].split()[1:9]
    return sum(map(int, (user, nice, system, *rest))) / _TICK


def memory_bytes(pid: int) -> int:
    """Return the memory of a process and its descendants, pages that they share counted once (PSS)."""
    return sum(_proportional(each) for each in tree(pid))


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            parent = _parent(int(entry.name))
            if parent is not None:
                children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def _read(clock: int) -> float:
    try:
        return time.clock_gettime(clock)
    except OSError:
        return 0.0


def _parent(pid: int) -> int | None:
    """Return the parent of a process; None when it is gone."""
    try:
        return int((_PROC / str(pid) / "stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _proportional(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text("ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
