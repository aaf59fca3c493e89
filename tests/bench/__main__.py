"""The command: chooses what to measure, has it measured, and where it was asked for, written."""

import os
import tempfile
from pathlib import Path

import click
from rich.console import Console

from tests.bench import erasing, goals, handover, importing, page, steady
from tests.bench.bench import SCENARIOS, Bench
from tests.bench.loader import loader
from tests.bench.postgres import command
from tests.bench.rounds import Pace
from tests.bench.servers import BenchFailed, Contestant, contestants

DEFAULT_PAGE = "docs/performance.md"
NORMAL = Pace(20, 0.3)
QUICK = Pace(5, 0.2)


@click.command()
@click.option("--quick", is_flag=True, help="About a minute; the figures are rough.")
@click.option("--only", multiple=True, type=click.Choice(list(SCENARIOS)), help="Measure this scenario; repeatable.")
@click.option("--contestant", "chosen", multiple=True, metavar="NAME", help="Measure only bare, null, gateway, ...")
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="Measure a gateway with so many workers too.")
@click.option("--grow", "events", type=click.IntRange(200_000), help="Then store so many events and follow the rate.")
@click.option("--days", type=click.IntRange(200_000), help="Only read one day of a log of so many events.")
@click.option(
    "--erase", "erased", type=click.IntRange(200_000), help="Only erase persons from a log of so many events."
)
@click.option("--restarts", type=click.IntRange(1), help="Only restart a gateway so often under clients.")
@click.option("--console", "is_console", is_flag=True, help="Only measure a gateway beside its open console.")
@click.option("--backup", "is_backup", is_flag=True, help="Only measure a gateway beside backups that are made of it.")
@click.option("--import", "is_import", is_flag=True, help="Only import files, without a gateway and beside one.")
@click.option("--profile", "profiled", type=click.Choice(list(SCENARIOS)), help="Only show where the CPU goes.")
@click.option(
    "--steady", "steady_seconds", type=click.FloatRange(1),
    help="Only load a gateway for so many seconds, then kill it 20 times.",
)  # fmt: skip
@click.option(
    "--storage", metavar="URL",
    help="Measure the PostgreSQL engine instead: `postgresql` starts a server, a URL names one of yours.",
)  # fmt: skip
@click.option("--part", "parts", multiple=True, type=click.Choice(command.PARTS), help="Of --storage: only this.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Where to keep data.")
@click.option(
    "--write", type=click.Path(path_type=Path), is_flag=False, flag_value=DEFAULT_PAGE,
    help="Write the tables as Markdown, to docs/performance.md (of --storage: docs/scale.md) unless a file is named.",
)  # fmt: skip
def main(
    quick: bool,
    only: tuple[str, ...],
    chosen: tuple[str, ...],
    workers: int,
    events: int | None,
    days: int | None,
    erased: int | None,
    restarts: int | None,
    is_console: bool,
    is_backup: bool,
    is_import: bool,
    profiled: str | None,
    steady_seconds: float | None,
    storage: str | None,
    parts: tuple[str, ...],
    folder: Path | None,
    write: Path | None,
) -> None:
    """Measure the gateway beside a bare aiohttp handler, in one run.

    All the figures that were promised: --workers 2 --grow 10000000 --write
    """
    console = Console(width=None if os.isatty(1) else 190)
    cores = sorted(os.sched_getaffinity(0))
    apart = len(cores) > 1
    found = _chosen(contestants(workers, frozenset(cores[:1]) if apart else frozenset()), chosen)
    if events is not None and not {"bare", "gateway"} <= {contestant.name for contestant in found}:
        raise click.BadParameter("it needs bare and gateway", param_hint="--grow")
    if steady_seconds is not None and not any(contestant.name == "gateway" for contestant in found):
        raise click.BadParameter("it needs gateway", param_hint="--steady")
    try:
        if storage is not None:
            page_file = Path("docs/scale.md") if write == Path(DEFAULT_PAGE) else write
            scenarios = [SCENARIOS[name] for name in only or SCENARIOS]
            pace = QUICK if quick else NORMAL
            asked = command.Asked(pace, parts or command.PARTS, scenarios, events or command.GROWN)
            command.measure(console, storage, folder, asked, page_file)
            return
        if steady_seconds is not None:
            with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as data:
                gateway = next(each for each in found if each.name == "gateway")
                steady.run(console, cores[-1] if apart else None, Path(data), gateway, seconds=steady_seconds)
            return
        if erased is not None or restarts is not None:
            with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as data:
                _measure_one(console, found, Path(data), erased, restarts)
            return
        with (
            tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as data,
            loader(cores[-1] if apart else None) as load,
        ):
            bench = Bench(console, load, Path(data), found, QUICK if quick else NORMAL)
            bench.preamble(apart)
            if _measure_apart(bench, profiled, days, is_console, is_backup, is_import):
                return
            bench.compare([SCENARIOS[name] for name in only or SCENARIOS])
            if events is not None:
                bench.grow(events)
                bench.read_days(events)
                bench.watch()
                bench.back_up()
            result = bench.judge(_command(quick, only, chosen, workers, events))
            if write is not None:
                page.write(result, write)
                console.print(f"written: {write}")
    except BenchFailed as problem:
        raise click.ClickException(str(problem)) from None


def _measure_one(
    console: Console, found: list[Contestant], data: Path, erased: int | None, restarts: int | None
) -> None:
    """Measure what needs no load generator."""
    if erased is not None:
        gateway = next(each for each in found if each.name == "gateway")
        erasing.show(console, erasing.measure(gateway, erased, data, console.print))
    if restarts is not None:
        handover.show(console, handover.measure(restarts, data))


def _measure_apart(
    bench: Bench, profiled: str | None, days: int | None, is_console: bool, is_backup: bool, is_import: bool
) -> bool:
    """Measure what is asked for without the scenarios; return whether anything is."""
    if profiled is not None:
        bench.profile(SCENARIOS[profiled])
        return True
    if is_import:
        _import(bench)
        return True
    if days is not None:
        bench.read_days(days)
    if is_console:
        bench.watch()
    if is_backup:
        bench.back_up()
    if days is not None or is_console or is_backup:
        bench.judge("")
        return True
    return False


def _import(bench: Bench) -> None:
    """Import files without a gateway, then beside one."""
    gateway = next(each for each in bench.contestants if each.name == "gateway")
    importing.show(bench.console, importing.measure(bench.folder, bench.console.print))
    found = importing.beside(bench.load, gateway, SCENARIOS[goals.SINGLE], bench.folder, bench.console.print)
    importing.show_beside(bench.console, found)


def _chosen(found: list[Contestant], names: tuple[str, ...]) -> list[Contestant]:
    unknown = set(names) - {contestant.name for contestant in found}
    if unknown:
        known = ", ".join([contestant.name for contestant in found])
        raise click.BadParameter(f"{unknown.pop()} is none of {known}", param_hint="--contestant")
    return [contestant for contestant in found if contestant.name in names] if names else found


def _command(quick: bool, only: tuple[str, ...], chosen: tuple[str, ...], workers: int, events: int | None) -> str:
    """Return the command that measures the same again; where it keeps its data is nobody's business."""
    options = ["--quick"] if quick else []
    options += [f"--only {name}" for name in only] + [f"--contestant '{name}'" for name in chosen]
    options += [f"--workers {workers}"] if workers > 1 else []
    options += [f"--grow {events}"] if events is not None else []
    return " ".join(["python -m tests.bench", *options, "--write"])


if __name__ == "__main__":
    main()
