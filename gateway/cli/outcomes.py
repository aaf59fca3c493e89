"""`gateway outcomes`: how many items got which verdict. `gateway events counts` is its old name."""

import json
from collections import Counter
from pathlib import Path

import click

from gateway.cli.names import check_project
from gateway.cli.options import data_option, json_option, log_of, project_option
from gateway.cli.tables import moment, show
from gateway.cli.times import since_option
from gateway.clock import now
from gateway.datadir import DataDir
from gateway.operate.counters import totals, totals_since

VERDICTS = ("received", "stored", "duplicate", "quarantined", "filtered", "rejected")


@click.command(short_help="Count items by verdict.")
@data_option
@project_option
@since_option
@json_option
def outcomes(data: Path | None, project: str | None, since: int | None, as_json: bool) -> None:
    """Count items by verdict, project and dialect.

    Received items are the stored, duplicate, quarantined and filtered ones. Rejected ones are counted beside them;
    items of rejected requests that named no known credential have an empty project.

    With --since, the time is rounded down to the minute, or to the hour if it is more than two days ago. A replayed
    item leaves `quarantined` at the time of its replay, so that this count may be negative.
    """
    directory = log_of(data)
    check_project(project, directory)
    found = totals(directory) if since is None else _since(directory, since)
    places = sorted({(name, dialect) for name, dialect, _ in found if project in (None, name)})
    rows = [(*place, *[found[(*place, verdict)] for verdict in VERDICTS]) for place in places]
    columns = ("project", "dialect", *VERDICTS)
    if as_json:
        for row in rows:
            click.echo(json.dumps(dict(zip(columns, row, strict=True))))
        return
    show(columns, [[str(cell) for cell in row] for row in rows])


def _since(directory: DataDir, since: int) -> Counter[tuple[str, str, str]]:
    found = totals_since(directory, since, now())
    if found.counted_since is not None:
        click.echo(f"counted by time only since {moment(found.counted_since)}, when the data was upgraded", err=True)
    return found.totals


counts = click.Command(
    "counts",
    callback=outcomes.callback,
    params=outcomes.params,
    help=outcomes.help,
    short_help="The old name of `gateway outcomes`.",
)
