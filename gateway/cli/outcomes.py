"""`gateway outcomes`: what became of all items, by project and dialect. `gateway events counts` is its old name."""

import json
from pathlib import Path

import click

from gateway.cli.options import data_option, log_of, project_option
from gateway.cli.tables import show
from gateway.operate.counters import totals

VERDICTS = ("received", "stored", "duplicate", "quarantined", "filtered", "rejected")


@click.command()
@data_option
@project_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def outcomes(data: Path | None, project: str | None, as_json: bool) -> None:
    """Count items by verdict, project and dialect.

    Received items are the stored, duplicate, quarantined and filtered ones. Rejected ones are counted beside them;
    items rejected before authentication have an empty project.
    """
    found = totals(log_of(data))
    places = sorted({(name, dialect) for name, dialect, _ in found if project in (None, name)})
    rows = [(*place, *[found[(*place, verdict)] for verdict in VERDICTS]) for place in places]
    columns = ("project", "dialect", *VERDICTS)
    if as_json:
        for row in rows:
            click.echo(json.dumps(dict(zip(columns, row, strict=True))))
        return
    show(columns, [[str(cell) for cell in row] for row in rows])
