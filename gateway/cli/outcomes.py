"""`gateway outcomes`: how many items got which verdict. `gateway events counts` is its old name."""

import json
from pathlib import Path

import click

from gateway.cli.names import check_project
from gateway.cli.options import data_option, json_option, log_of, project_option
from gateway.cli.tables import show
from gateway.operate.counters import totals

VERDICTS = ("received", "stored", "duplicate", "quarantined", "filtered", "rejected")


@click.command(short_help="Count items by verdict.")
@data_option
@project_option
@json_option
def outcomes(data: Path | None, project: str | None, as_json: bool) -> None:
    """Count items by verdict, project and dialect.

    Received items are the stored, duplicate, quarantined and filtered ones. Rejected ones are counted beside them;
    items rejected before authentication have an empty project.
    """
    directory = log_of(data)
    check_project(project, directory)
    found = totals(directory)
    places = sorted({(name, dialect) for name, dialect, _ in found if project in (None, name)})
    rows = [(*place, *[found[(*place, verdict)] for verdict in VERDICTS]) for place in places]
    columns = ("project", "dialect", *VERDICTS)
    if as_json:
        for row in rows:
            click.echo(json.dumps(dict(zip(columns, row, strict=True))))
        return
    show(columns, [[str(cell) for cell in row] for row in rows])


counts = click.Command(
    "counts",
    callback=outcomes.callback,
    params=outcomes.params,
    help=outcomes.help,
    short_help="The old name of `gateway outcomes`.",
)
