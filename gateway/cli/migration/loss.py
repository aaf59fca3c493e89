"""`gateway migration loss`: what becomes of each field when events go to another vendor."""

import json

import click

from gateway.cli.names import dialect_of
from gateway.cli.options import json_option
from gateway.cli.tables import show
from gateway.config.errors import did_you_mean
from gateway.ingest.registry import Installed, discover, installed_by_name
from gateway.operate.loss.table import NoEvents, Table, generate, shipped

MOST_EVENTS = 10_000_000


@click.command(short_help="Show what is carried, changed and lost.")
@click.option("--from", "source", required=True, metavar="DIALECT", help="Whose events are sent.")
@click.option("--to", "target", required=True, metavar="DIALECT", help="Whose protocol they are sent in.")
@click.option(
    "--generate",
    "events",
    type=click.IntRange(1, MOST_EVENTS),
    metavar="N",
    help="Find it out anew, from so many generated events.",
)
@json_option
def loss(source: str, target: str, events: int | None, as_json: bool) -> None:
    """Show what becomes of each place of an event when a destination sends it in another dialect's protocol.

    Without --generate it is the table that comes with the gateway, which was made of 100,000 events of each dialect.
    """
    table = _table(source, target, events)
    if as_json:
        click.echo(json.dumps(table.as_json()))
    else:
        show(("place", "what becomes of it"), table.lines(), whole=("place",))


def _table(source: str, target: str, events: int | None) -> Table:
    named = dialect_of(source).name
    speaker = _speaker(target)
    if events is not None:
        try:
            return generate(_installed(named), speaker, events)
        except NoEvents as error:
            raise click.ClickException(str(error)) from error
    found = shipped(named, speaker.dialect.name)
    if found is None:
        names = f"{named} and {target}"
        raise click.ClickException(f"no table of {names} comes with the gateway: --generate 1000 makes one")
    return found


def _speaker(name: str) -> Installed:
    """Return a dialect that can emit. Raises ClickException with the nearest one that can."""
    if dialect_of(name).emit is None:
        able = [dialect.name for dialect in discover() if dialect.emit is not None]
        raise click.ClickException(f"the dialect {name} cannot send: it has no emit; {did_you_mean(name, able)}")
    return _installed(name)


def _installed(name: str) -> Installed:
    return installed_by_name({})[name]
