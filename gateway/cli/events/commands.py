"""`gateway events`: the group of the commands that read the log, and the shortest of them."""

from typing import Any

import click

from gateway.cli.events.export import export
from gateway.cli.events.filters import event_filter, filter_options
from gateway.cli.events.names import names
from gateway.cli.events.retranslate import retranslate
from gateway.cli.events.show import show
from gateway.cli.events.tail import tail
from gateway.cli.options import store_option
from gateway.cli.outcomes import counts
from gateway.storage.store import Store


@click.group(short_help="Read stored events.")
def events() -> None:
    """Read stored events: export, follow, show or count them.

    A TIME is RFC 3339 (2026-01-02T03:04:05Z) or an age (30m, 24h, 7d), and means when the gateway received an event.
    """


@events.command(short_help="Print the number of stored events.")
@store_option
@filter_options
async def count(store: Store, **conditions: Any) -> None:
    """Print the number of stored events."""
    async with store.log() as reader:
        where = await event_filter(store, **conditions)
        number = await reader.count(where)
    click.echo(number)


for command in (export, tail, show, names, counts, retranslate):
    events.add_command(command)
