"""`gateway events counts`: what became of all items, by project and dialect."""

import json
from pathlib import Path

import click

from gateway.commands.options import data_option, log_of, project_option
from gateway.commands.tables import show
from gateway.ledgers import totals

VERDICTS = ("received", "stored", "duplicate", "quarantined", "filtered", "refused")


@click.command()
@data_option
@project_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def counts(data: Path | None, project: str | None, as_json: bool) -> None:
    """Show what became of all items: received are the stored, duplicate, quarantined and filtered together.

    Refused ones are counted beside them; of those whose project nobody knows, it is empty.
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
