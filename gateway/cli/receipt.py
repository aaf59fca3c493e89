"""`gateway receipt`: what happened to the items of one request."""

import json
from pathlib import Path

import click

from gateway.cli.options import data_option, log_of
from gateway.operate import receipts
from gateway.storage.sqlite.read.reader import Reader


@click.command(short_help="Show what happened to one request.")
@click.argument("receipt_id", metavar="ID")
@data_option
def receipt(receipt_id: str, data: Path | None) -> None:
    """Show what happened to each item of a request.

    ID is the X-Gateway-Receipt header of the request's answer.
    """
    with Reader(log_of(data)) as reader:
        found = receipts.receipt(reader, receipt_id)
    if found is None:
        raise click.ClickException(f"there is no receipt {receipt_id!r}")
    click.echo(json.dumps(found, indent=2))
