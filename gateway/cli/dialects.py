"""`gateway dialects`, `schemas` and `check-config`: what is installed, and whether a configuration fits it."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from gateway.cli.tables import show
from gateway.config import check, load
from gateway.config.errors import did_you_mean
from gateway.dialect import CredentialKind, Route, StaticRoute
from gateway.ingest.registry import discover, install
from gateway.ingest.schema import load as load_schemas

CANONICAL = "jsonschemas.canonical"


@click.command()
def dialects() -> None:
    """Show the installed dialects: what they answer to, and what can be set."""
    found = discover()
    installed = install(found, {})
    show(
        ("dialect", "endpoints", "kinds", "scopes", "switches"),
        [
            (
                each.dialect.name,
                "\n".join(_endpoints((*each.routes, *each.dialect.static_routes))),
                "\n".join(_kind(kind) for kind in each.dialect.kinds),
                "\n".join(each.dialect.scopes),
                "\n".join(f"{switch.name}: {switch.meaning}" for switch in each.dialect.switches),
            )
            for each in installed
        ],
    )


@click.command()
@click.argument("name", required=False)
def schemas(name: str | None) -> None:
    """List the JSON Schemas of what comes in and what is kept; with a NAME (databuddy/track), print that one."""
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
        raise click.ClickException(f"there is no schema {name!r}; {did_you_mean(name, found)}")


@click.command("check-config")
@click.argument("file", type=click.Path(path_type=Path))
def check_config(file: Path) -> None:
    """Say whether a configuration FILE can be served; the environment plays no part."""
    config = load(file, environ={})
    found = discover()
    check(config, found)
    install(found, config.switches)
    click.echo(f"{file}: good")


def _endpoints(endpoints: Iterable[Route | StaticRoute]) -> list[str]:
    return [f"{endpoint.method} {path}" for endpoint in endpoints for path in endpoint.paths]


def _kind(kind: CredentialKind) -> str:
    return f"{kind.name} (public)" if kind.public else kind.name
