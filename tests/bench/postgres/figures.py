"""The PostgreSQL benchmark's figures as tables, and what was promised of them. Pure."""

from collections.abc import Sequence

from tests.bench.postgres.compare import Beside
from tests.bench.postgres.http import Compared, Together
from tests.bench.postgres.server import Weight
from tests.bench.report import quartiles
from tests.bench.slices import cpu
from tests.bench.spread import Spread
from tests.bench.tables import Table
from tests.bench.traffic import Scenario

APPEND_LEAST = 0.8
SINGLE_MOST = 1.3
GROWN_LEAST = 0.8
DAYS = (1_000_000, 10_000_000, 100_000_000, 300_000_000, 1_000_000_000)
PEAK = 3  # times the mean of the day


def of_append(rows: Sequence[Beside]) -> Table:
    """Return storage.append beside the bare statements."""
    headings = (
        "", "events a transaction", "append, events/s", "bare, events/s", "append / bare",
        "CPU us/event", "of bare", "of the database",
    )  # fmt: skip
    return Table(
        "storage.append beside the bare statements",
        headings,
        tuple(
            (
                f"{each.load.name}, {each.load.callers} callers",
                f"{each.group:,.0f}",
                f"{each.rate(each.ours).middle:,.0f}",
                f"{each.rate(each.theirs).middle:,.0f}",
                _with_quartiles(each.ratio),
                f"{each.cpu(each.ours).middle:.1f}",
                f"{each.cpu(each.theirs).middle:.1f}",
                f"{each.database.middle:.1f}",
            )
            for each in rows
        ),
    )


def of_http(rows: Sequence[Compared]) -> Table:
    """Return both engines over HTTP, a row for each scenario."""
    headings = (
        "", "SQLite, CPU us/event", "PostgreSQL, gateway", "PostgreSQL, database", "gateway / SQLite",
        "SQLite, events/s", "PostgreSQL, events/s",
    )  # fmt: skip
    return Table(
        "Over HTTP",
        headings,
        tuple(
            (
                each.scenario.title,
                f"{each.sqlite.cpu_per_event:.1f}",
                f"{each.postgres.cpu_per_event:.1f}",
                f"{each.database.middle:.1f}",
                _with_quartiles(each.postgres.over(each.sqlite, cpu)),
                f"{each.sqlite.events_per_second:,.0f}",
                f"{each.postgres.events_per_second:,.0f}",
            )
            for each in rows
        ),
    )


def of_growth(events: int, small: int, rows: Sequence[tuple[Beside, int, int]]) -> Table:
    """Return a grown database beside a small one; each row with the bytes of WAL an event after a checkpoint, later."""
    headings = (
        "", f"at {events:,}, events/s", f"at {small:,}, events/s", "grown / small", "database, CPU us/event",
        "WAL bytes/event after a checkpoint", "and then",
    )  # fmt: skip
    return Table(
        "Growth",
        headings,
        tuple(
            (
                each.load.name,
                f"{each.rate(each.ours).middle:,.0f}",
                f"{each.rate(each.theirs).middle:,.0f}",
                _with_quartiles(each.ratio),
                f"{each.database.middle:.1f}",
                f"{at_first:,}",
                f"{later:,}",
            )
            for each, at_first, later in rows
        ),
    )


def of_sizes(stored: int, weights: Sequence[Weight]) -> Table:
    """Return the bytes an event of each table that counts."""
    counted = [each for each in weights if each.rows + each.indexes >= stored]
    rows = [(each.table, each.rows / stored, each.indexes / stored) for each in counted]
    total = ("all", sum([each.rows for each in weights]) / stored, sum([each.indexes for each in weights]) / stored)
    return Table(
        f"Bytes an event, of {stored:,}",
        ("table", "rows", "indexes", "together"),
        tuple((name, f"{of:,.0f}", f"{index:,.0f}", f"{of + index:,.0f}") for name, of, index in [*rows, total]),
    )


def of_curve(scenario: Scenario, rows: Sequence[Together], cores: int) -> Table:
    """Return what several gateways did on one database."""
    first = rows[0]
    return Table(
        f"Gateways on one database: {scenario.title}",
        ("gateways", "events/s", "over one", "gateways, CPU us/event", "database, CPU us/event", f"of {cores} cores"),
        tuple(
            (
                str(each.gateways),
                _with_quartiles(each.rate),
                f"{each.rate.middle / first.rate.middle:.2f}",
                f"{each.gateway_cpu.middle:.1f}",
                f"{each.database_cpu.middle:.1f}",
                f"{each.cores.middle:.1f}",
            )
            for each in rows
        ),
    )


def of_days(http: Sequence[Compared], growth: Sequence[tuple[Beside, int, int]], stored: int, all_bytes: int) -> Table:
    """Return arithmetic: what so many events a day would take, of single events and of batches."""
    single, batch = ([each for each in http if (each.scenario.items > 1) is many] for many in (False, True))
    log = [max(first, later) for _, first, later in growth]

    def cores(rows: Sequence[Compared], a_second: float, *, database: bool) -> str:
        costs = [each.database.middle if database else each.postgres.cpu_per_event for each in rows]
        return f"{a_second * max(costs) / 1e6:,.1f}" if costs else ""

    rows: list[tuple[str, ...]] = []
    for a_day in DAYS:
        peak = a_day / 86_400 * PEAK
        rows.append(
            (
                f"{a_day:,}",
                f"{peak:,.0f}",
                f"{cores(single, peak, database=False)} / {cores(batch, peak, database=False)}",
                f"{cores(single, peak, database=True)} / {cores(batch, peak, database=True)}",
                f"{a_day * all_bytes / stored / 1e9:,.1f}",
                " / ".join([f"{a_day * each / 1e9:,.1f}" for each in log]),
                " / ".join([f"{peak * each / 1e6:,.1f}" for each in log]),
            )
        )
    headings = (
        "events a day", "events/s at the peak",
        "gateways, cores: single / batches", "database, cores: single / batches",
        "disk, GB a day", "WAL, GB a day: single / batches", "WAL, MB/s at the peak",
    )  # fmt: skip
    return Table("Arithmetic", headings, tuple(rows))


def of_goals(rows: Sequence[tuple[str, ...]]) -> Table:
    """Return what was promised beside what was measured."""
    return Table("Goals", ("", "measured", "half within", "required", "met"), tuple(rows))


def goals_of_append(rows: Sequence[Beside]) -> list[tuple[str, ...]]:
    """Return the promises of storage.append."""
    return [
        _at_least(f"storage.append, {each.load.name}: rate over the bare statements'", each.ratio, APPEND_LEAST)
        for each in rows
    ]


def goals_of_http(rows: Sequence[Compared]) -> list[tuple[str, ...]]:
    """Return the promise of single events; batches have none, and are shown beside it."""
    found: list[tuple[str, ...]] = []
    for each in rows:
        text, ratio = (
            f"{each.scenario.title}: the gateway's CPU over that on SQLite",
            each.postgres.over(each.sqlite, cpu),
        )
        most = SINGLE_MOST if each.scenario.items == 1 else None
        met = "" if most is None else "yes" if ratio.middle <= most else "NO"
        found.append((text, f"{ratio.middle:.2f}", quartiles(ratio), "" if most is None else f"{most:.2f}", met))
    return found


def goals_of_growth(events: int, small: int, rows: Sequence[tuple[Beside, int, int]]) -> list[tuple[str, ...]]:
    """Return the promise of a grown database."""
    return [
        _at_least(f"{each.load.name}: rate at {events:,} events over that at {small:,}", each.ratio, GROWN_LEAST)
        for each, _, _ in rows
    ]


def _at_least(text: str, ratio: Spread, least: float) -> tuple[str, ...]:
    met = "yes" if ratio.middle >= least else "NO"
    return text, f"{ratio.middle:.2f}", quartiles(ratio), f"{least:.2f}", met


def _with_quartiles(values: Spread) -> str:
    within = quartiles(values)
    middle = f"{values.middle:,.0f}" if values.middle >= 100 else f"{values.middle:.2f}"
    return f"{middle} ({within})" if within else middle
