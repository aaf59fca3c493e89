"""`gateway schemas`: the JSON Schemas of requests and of canonical events."""

import json

import click

from gateway.cli.names import unknown
from gateway.ingest.registry import CANONICAL, discover
from gateway.ingest.schema import load as load_schemas


@click.command(short_help="List the JSON Schemas, or print one.")
@click.argument("name", required=False)
def schemas(name: str | None) -> None:
    """List the JSON Schemas of requests and of canonical events.

    With a NAME from the list, such as databuddy/track, print that schema.
    """
    packages = {"canonical": CANONICAL, **{dialect.name: dialect.schemas for dialect in discover()}}
    found = {
        f"{owner}/{schema.name}": schema
        for owner, package in packages.items()
        for schema in load_schemas(package).values()
    }
    if name is None:
        for each in found:
            click.echo(each)
    elif name in found:
        click.echo(json.dumps(found[name].document, indent=2, ensure_ascii=False))
    else:
        raise unknown("schema", name, found)
