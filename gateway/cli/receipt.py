"""`gateway receipt`: what happened to the items of one request."""

import json

import click

from gateway.cli.options import store_option
from gateway.operate import receipts
from gateway.storage.store import Store


@click.command(short_help="Show what happened to one request.")
@click.argument("receipt_id", metavar="ID")
@store_option
async def receipt(store: Store, receipt_id: str) -> None:
    """Show what happened to each item of a request.

    ID is the X-Gateway-Receipt header of the request's answer.
    """
    async with store.records() as records:
        found = await receipts.receipt(records, receipt_id)
    if found is None:
        raise click.ClickException(f"there is no receipt {receipt_id!r}")
    click.echo(json.dumps(found, indent=2))
