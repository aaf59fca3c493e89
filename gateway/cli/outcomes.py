"""`gateway outcomes`: how many items got which verdict. `gateway events counts` is its old name."""

import json

import click

from gateway.cli.names import check_project
from gateway.cli.options import json_option, project_option, store_option
from gateway.cli.tables import moment, show
from gateway.cli.times import since_option
from gateway.clock import now
from gateway.operate.counters import ERASED, Totals, totals, totals_since
from gateway.storage.records import Records
from gateway.storage.store import Store

VERDICTS = ("received", "stored", "duplicate", "quarantined", "filtered", "rejected")


@click.command(short_help="Count items by verdict.")
@store_option
@project_option
@since_option
@json_option
async def outcomes(store: Store, project: str | None, since: int | None, as_json: bool) -> None:
    """Count items by verdict, project and dialect.

    Received items are the stored, duplicate, quarantined and filtered ones. Rejected ones are counted beside them;
    items of rejected requests that named no known credential have an empty project. Where persons were erased, `erased`
    says how many of the stored events went with them.

    With --since, the time is rounded down to the minute, or to the hour if it is more than two days ago. A replayed
    item leaves `quarantined` at the time of its replay, so that this count may be negative.
    """
    async with store.records() as records:
        await check_project(project, store)
        found = await totals(records) if since is None else await _since(records, since)
    places = sorted({(name, dialect) for name, dialect, _ in found if project in (None, name)})
    some_erased = any(verdict == ERASED for _, _, verdict in found)
    verdicts = (*VERDICTS, ERASED) if some_erased else VERDICTS
    rows = [(*place, *[found[(*place, verdict)] for verdict in verdicts]) for place in places]
    columns = ("project", "dialect", *verdicts)
    if as_json:
        for row in rows:
            click.echo(json.dumps(dict(zip(columns, row, strict=True))))
        return
    show(columns, [[str(cell) for cell in row] for row in rows], whole=columns[1:])


async def _since(records: Records, since: int) -> Totals:
    found = await totals_since(records, since, now())
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
