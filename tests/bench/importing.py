"""`gateway import`: events for each second of one core, and what it costs a gateway that serves meanwhile."""

import contextlib
import json
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs
from rich.console import Console

from tests.bench import tables
from tests.bench.loader import Loader
from tests.bench.servers import ROOT, BenchFailed, Contestant, gateway, gateway_command, started
from tests.bench.slices import Slice, cpu, p99, rate
from tests.bench.spread import Spread, ratios, spread
from tests.bench.traffic import Scenario

EVENTS = 200_000
ROUNDS = 5
SECONDS = 10.0
START = 3.0  # seconds for the command to read its code: that is done once, and an import goes on for long
THEN = "2024-03-01T12:00:00.000Z"
FORMS = (
    "tranthor/batch",
    "databuddy/track",
    "databuddy/batch",
    "browsee/track",
    "appizer/events/batch",
    "tranthor csv",
)


@attrs.frozen
class Imported:
    """One form of file: events for each second of the command's CPU, its start included, and for each second."""

    form: str
    a_cpu_second: float
    a_second: float


@attrs.frozen
class Beside:
    """A gateway with an import beside it over itself alone, by round; and the events that it imported a second."""

    rate: Spread
    p99: Spread
    cpu: Spread
    imported: float


def measure(folder: Path, told: Callable[[str], None], events: int = EVENTS) -> list[Imported]:
    """Import a file of each form into an empty data directory. Raises BenchFailed."""
    found = []
    for form in FORMS:
        told(form)
        file, options = _written(folder, form, events)
        data = _prepared(folder / form.replace("/", "-").replace(" ", "-"), form.split("/")[0].split()[0])
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        said = gateway("import", str(file), "--project", "bench", *options, "--data", str(data))
        took, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        if not said.startswith(f"{events} stored, 0 "):
            raise BenchFailed(f"{form}: {said}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append(Imported(form, events / cpu, events / took))
        file.unlink()
    return found


def beside(
    load: Loader, contestant: Contestant, scenario: Scenario, folder: Path, told: Callable[[str], None]
) -> Beside:
    """Load a gateway in turn alone and while files are imported into it. Raises BenchFailed."""
    data = folder / "beside"
    contestant.prepare(data)
    slices: dict[bool, dict[int, Slice]] = {False: {}, True: {}}
    with started(contestant, folder, data) as running:
        load.send(running, scenario, SECONDS / 10)
        stored, seconds = 0, 0.0
        for number in range(ROUNDS):
            file, options = _written(folder, "tranthor/batch", EVENTS, number)
            command = [*gateway_command(), "import", str(file), "--project", "bench", *options, "--data", str(data)]
            for is_beside in (number % 2 == 0, number % 2 != 0):
                told(f"round {number + 1} of {ROUNDS}")
                before = running.count() - load.acknowledged[running.port]
                begun = time.perf_counter()
                with _running(command, contestant) if is_beside else contextlib.nullcontext():
                    slices[is_beside][number] = load.send(running, scenario, SECONDS)
                if is_beside:
                    seconds += time.perf_counter() - begun
                    stored += running.count() - load.acknowledged[running.port] - before
    return Beside(
        spread(ratios(slices[True], slices[False], rate)),
        spread(ratios(slices[True], slices[False], p99)),
        spread(ratios(slices[True], slices[False], cpu)),
        stored / seconds,
    )


@contextlib.contextmanager
def _running(command: Sequence[str], contestant: Contestant) -> Iterator[None]:
    """Import as long as the block lasts, on the gateway's own cores: it takes nothing from the load generator's."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if contestant.cores:
        os.sched_setaffinity(process.pid, contestant.cores)
    try:
        time.sleep(START)
        yield
        if process.poll() is not None:
            raise BenchFailed(f"the import ended before the load did, with code {process.returncode}")
    finally:
        process.kill()
        process.wait()


def show(console: Console, imported: Sequence[Imported]) -> None:
    """Print what was measured."""
    rows = [(each.form, f"{each.a_cpu_second:,.0f}", f"{each.a_second:,.0f}") for each in imported]
    title = f"Import of {EVENTS:,} events"
    tables.show(console, tables.Table(title, ("items of", "events/s of one core", "events/s"), tuple(rows)))


def show_beside(console: Console, found: Beside) -> None:
    """Print what was measured."""
    rows = [
        (name, f"{each.middle:.2f}", f"{each.low:.2f} - {each.high:.2f}")
        for name, each in (("requests/s", found.rate), ("p99", found.p99), ("CPU of the server a request", found.cpu))
    ]
    title = f"A gateway beside an import of {found.imported:,.0f} events/s, over itself alone"
    tables.show(console, tables.Table(title, ("", "median", "range"), tuple(rows)))


def _prepared(data: Path, dialect: str) -> Path:
    data.mkdir()
    gateway("keys", "add", "--data", str(data), "--project", "bench", "--dialect", dialect)
    return data


def _written(folder: Path, form: str, events: int, run: int = 0) -> tuple[Path, tuple[str, ...]]:
    """Write a file of items of about 400 bytes, and return it with the options that say what it is."""
    file = folder / f"items-{run}"
    dialect, _, route = form.partition(" ")[0].partition("/")
    with file.open("w") as lines:
        if form.endswith("csv"):
            lines.write("type,messageId,userId,event,timestamp,properties.plan,context.page.url,context.page.title\n")
        for number in range(events):
            lines.write(_row(number, run) if form.endswith("csv") else json.dumps(_item(form, number, run)) + "\n")
    return file, ("--dialect", dialect, "--route", route or "batch")


def _row(number: int, run: int) -> str:
    return f"track,m-{run}-{number},user_{number % 5000},paid,{THEN},pro,https://shop.example.com/checkout,Thank you\n"


def _item(form: str, number: int, run: int) -> dict[str, object]:
    properties = {"total": 149.95, "shipping": {"method": "express", "days": 2}, "tags": ["returning"], "plan": "pro"}
    more: dict[str, object]
    page = {"url": "https://shop.example.com/checkout/complete", "title": "Thank you"}
    user, name = f"user_{number % 5000}", f"m-{run}-{number}"
    match form:
        case "tranthor/batch":
            more = {"type": "track", "messageId": name, "userId": user, "event": "paid", "context": {"page": page}}
            return {**more, "properties": properties, "timestamp": THEN}
        case "databuddy/track":
            more = {"name": "paid", "eventId": name, "anonymousId": user, "timestamp": 1709294400000}
            return {**more, "properties": properties}
        case "databuddy/batch":
            more = {"type": "custom", "name": "paid", "eventId": name, "anonymousId": user, "timestamp": 1709294400000}
            return {**more, "properties": properties}
        case "browsee/track":
            return {"event": "paid", "userId": user, "timestamp": THEN, "properties": {**properties, "id": name}}
        case _:
            return {"event_name": "paid", "user_id": user, "properties": {"total": 149.95, "plan": "pro", "id": name}}
