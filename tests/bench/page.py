"""docs/performance.md: what a run showed, put in a reader's order, with its pictures beside it. Writes files."""

from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.bench import backup, console, days, plot
from tests.bench.goals import Goal
from tests.bench.growth import Growth, evened
from tests.bench.rounds import BATCH, LONG, Pace
from tests.bench.slices import CALM
from tests.bench.tables import Table, markdown

INTRODUCTION = """# Performance

How fast the gateway is, and what it costs, beside the least that could answer the same requests: a bare aiohttp +
uvloop handler that reads JSON and keeps nothing. Everything is measured with fsync on, deduplication on and ids of
each event's own. What is to be said about the figures is in [performance-notes.md](performance-notes.md). This page is
written by

```sh
{command}
```
"""

HOW = """## How it is measured

- **Contestants.** *bare*: the bare handler. *null*: the gateway with a store that keeps nothing. *gateway*:
  `gateway serve` in one process, *gateway x2* with two workers. *fastapi*: FastAPI, pydantic, SQLAlchemy and SQLite
  (WAL, FULL), one transaction a request. All but *gateway x2* have one core, and the load generator (closed loop,
  keep-alive) the other.
- **Paired rounds.** Contestants run one after the other in slices of {single} s ({batch} s for batches, {long}
  times as long and in every {nth} round for fastapi), {rounds} rounds, every second round backwards. Shared
  machines are slowed by neighbours for seconds at a time: what stands next to each other in time was slowed alike.
  So each ratio is taken within its round, and the **median of the ratios** is reported, with the quartiles (*half
  within*). Absolute figures are medians over the rounds, and say as much about the machine as about the code.
- **Calm rounds.** A round counts when others used less than {calm:.0%} of a core in it. Where fewer than a third of
  the rounds were calm, all count, and rates and latencies are called unsure.
- **Rates** are taken while the load is full, between the first answers on all connections and the last before the
  slice's end.
- **CPU** is that of all the server's processes, until they are quiet again after the last answer.
- **p99** is of all rounds' latencies pooled, so that a rare pause shows. Quartiles, and the ratios in the tables of
  scenarios, are of the rounds' own.
- **The machine then**: CPU of a bare request, of sending 200 bytes over loopback and receiving them, of a loop in
  Python, and the time of an fsync, before and after each scenario. Ratios to the bare handler depend on them: where a
  system call is dear, what is done in Python beside it counts for less. Promises in microseconds or events/s were made
  for a machine on which a bare request takes 31 us of CPU, and are held after scaling.
- **Checked**: after each scenario the store holds exactly the events that were acknowledged.
- **Growth**: chunks of batches with random ids, the bare handler measured between any two; then the grown store and
  a fresh one side by side in paired rounds. Memory is the proportional set size (PSS) after three seconds of rest.
  Exports are held against the bare handler just before and after, so that a slow machine shows. At the end the
  grown gateway is killed and started again on the same data, three times.
- **A day**: a log of as many events over {days} days, written by the engine. The export of one day is timed as a
  command, {exports} times. The lag of `events tail` is that of {sent} events sent one by one at random moments. On the
  same log the console's overview is opened {opened} times, as a page.
- **The console**: {watched} rounds of {watched_seconds:.0f} s, each with the gateway alone and with the same gateway
  beside a console, somebody who has its overview and its live page open, and `events tail --short`. They all share the
  cores of the gateway and the load generator. The CPU is the gateway's alone.
- **Backups**: {backed_up} rounds of {backed_up_seconds:.0f} s on a store of {backed_up_events:,} events, each with the
  gateway alone and beside `gateway backup create`, again and again. They share the cores of the gateway and the load
  generator. The speed is that of the part that was written in these seconds, with the start of the command.
"""


@attrs.frozen
class Page:
    """All that the page shows."""

    command: str
    machine: Sequence[str]
    notes: Sequence[str]
    pace: Pace
    goals: Sequence[Goal]
    promises: Table | None
    tables: Sequence[Table]
    growth: Growth | None


def write(page: Page, file: Path) -> None:
    """Write the page and its pictures."""
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = [INTRODUCTION.format(command=page.command)]
    if page.promises is not None:
        parts.append(markdown(page.promises))
        parts += [f"**{note}**\n" for note in page.notes]
        bars = _picture(file, "goals", plot.bars(page.goals))
        parts.append(f"![how far each promise is kept]({bars})\n")
    parts.append("\n".join(["## Measured on", "", *[f"- {line}" for line in page.machine], ""]))
    pace = page.pace
    long = pace.seconds * BATCH
    read = {"days": days.DAYS, "exports": days.EXPORTS, "sent": days.SENT}
    seen = {
        "opened": console.OPENED * len(console.SPANS),
        "watched": console.ROUNDS,
        "watched_seconds": console.SECONDS,
        "backed_up": backup.ROUNDS,
        "backed_up_seconds": backup.SECONDS,
        "backed_up_events": backup.EVENTS,
    }
    rounds = {"single": pace.seconds, "batch": long, "long": LONG, "nth": _nth(LONG), "rounds": pace.rounds}
    parts.append(HOW.format(**rounds, **read, **seen, calm=CALM))
    parts += [markdown(table) for table in page.tables]
    if page.growth is not None:
        picture = _picture(file, "growth", plot.growth("events/s over stored events", _lines(page.growth)))
        parts.append(f"![events/s over stored events]({picture})\n")
    file.write_text("\n".join(parts), "utf-8")


def _lines(growth: Growth) -> list[plot.Line]:
    measured = [(float(point.stored), point.events_per_second) for point in growth.points]
    return [
        plot.Line("each chunk as measured", measured, is_faint=True),
        plot.Line("evened by the bare handler's rate beside it, median of 7", evened(growth.points)),
    ]


def _picture(file: Path, name: str, svg: str) -> str:
    picture = file.with_name(f"{file.stem}-{name}.svg")
    picture.write_text(svg, "utf-8")
    return picture.name


def _nth(number: int) -> str:
    return {2: "second", 3: "third", 5: "fifth"}[number]
