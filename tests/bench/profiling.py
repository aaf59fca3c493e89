"""Where the gateway's CPU goes during one scenario: py-spy where it is installed, else cProfile."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from pstats import Stats

import attrs

from tests.bench.loader import Loader
from tests.bench.parts import by_part
from tests.bench.servers import Contestant, Running, started
from tests.bench.slices import cpu
from tests.bench.tables import Table
from tests.bench.traffic import Scenario

RATE = 500  # samples a second
SHOWN = 30
WARM_SECONDS = 0.5
LOOPS = ("Runner.run (", "_connection_worker_thread (")  # what calls these is in every stack and tells nothing


def profile(load: Loader, contestant: Contestant, scenario: Scenario, seconds: float, folder: Path) -> list[Table]:
    """Return where a contestant's time went: by part of the gateway, and by function, alone and with what it called."""
    spy = Path(sys.executable).with_name("py-spy")
    command = str(spy) if spy.exists() else shutil.which("py-spy")
    if command is None:
        return _by_tracing(load, contestant, scenario, seconds, folder)
    with started(contestant, folder) as running:
        load.send(running, scenario, WARM_SECONDS)
        return _by_sampling(load, running, scenario, seconds, folder / "stacks", command)


def _by_sampling(
    load: Loader, running: Running, scenario: Scenario, seconds: float, file: Path, command: str
) -> list[Table]:
    arguments = ["record", "--pid", str(running.pid), "--rate", str(RATE), "--duration", str(max(1, int(seconds)))]
    arguments += ["--format", "raw", "--output", str(file), "--function", "--subprocesses"]
    spy = subprocess.Popen([command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    measured = load.send(running, scenario, seconds)
    spy.wait()
    alone: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    stacks: list[tuple[list[str], int]] = []
    for line in file.read_text("utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        frames = _inside([_short(frame) for frame in stack.split(";")])
        stacks.append((frames, int(count)))
        alone[frames[-1]] += int(count)
        for frame in dict.fromkeys(frames):
            whole[frame] += int(count)
    per_request = cpu(measured)
    samples = alone.total()

    def table(what: str, counted: Counter[str], heading: str = "function") -> Table:
        shown = counted.most_common(SHOWN)
        rows = tuple((name, f"{count / samples:.1%}", f"{count / samples * per_request:.1f}") for name, count in shown)
        return Table(what, (heading, "share", "us/request"), rows)

    title = f"{running.contestant.name}, {scenario.name}: {per_request:.0f} us CPU a request"
    return [
        table(f"{title}, by part", by_part(stacks), "part"),
        table(f"{title}, with what is called", whole),
        table(f"{title}, alone", alone),
    ]


def _by_tracing(load: Loader, contestant: Contestant, scenario: Scenario, seconds: float, folder: Path) -> list[Table]:
    """Return the same by cProfile, whose own cost falls on small functions: only the order means something."""
    file = folder / "stats"

    def command(data: Path, port: int) -> list[str]:
        interpreter_or_script, *rest = contestant.command(data, port)
        rest = rest if interpreter_or_script == sys.executable else [interpreter_or_script, *rest]
        return [sys.executable, "-m", "cProfile", "-o", str(file), *rest]

    with started(attrs.evolve(contestant, command=command), folder) as running:
        measured = load.send(running, scenario, seconds)
    entries: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = vars(Stats(str(file)))["stats"]
    total = sum(entry[2] for entry in entries.values())
    ordered = sorted(entries.items(), key=lambda item: item[1][3], reverse=True)[: SHOWN * 2]
    rows = tuple(
        (
            _short(f"{name} ({path}:{line})"),
            f"{cumulative / total:.1%}",
            f"{cumulative / measured.requests * 1e6:.1f}",
            f"{alone / total:.1%}",
        )
        for (path, line, name), (_, _, alone, cumulative, _) in ordered
    )
    title = f"{contestant.name}, {scenario.name}: cProfile"
    return [Table(title, ("function", "with callees", "us/request", "alone"), rows)]


def _inside(frames: list[str]) -> list[str]:
    """Return a stack from its thread's loop on."""
    return next((frames[index:] for index, frame in enumerate(frames) if frame.startswith(LOOPS)), frames)


def _short(frame: str) -> str:
    """Return a frame with its file named from the package on."""
    name, _, place = frame.partition(" (")
    for root in ("site-packages/", "lib/python3", "/gateway/", "/dialects/", "/tests/"):
        at = place.rfind(root)
        if at >= 0:
            place = place[at:].removeprefix("site-packages/")
            break
    return f"{name} ({place}" if place else name
