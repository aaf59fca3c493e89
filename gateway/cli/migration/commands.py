"""The group of commands `gateway migration`."""

import click

from gateway.cli.migration.loss import loss


@click.group(short_help="Show what becomes of events elsewhere.")
def migration() -> None:
    """Leave a vendor, for the gateway or for another vendor."""


migration.add_command(loss)
