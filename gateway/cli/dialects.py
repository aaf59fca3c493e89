"""`gateway dialects`, `schemas` and `check-config`: what is installed, and whether a configuration fits it."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from gateway.cli.names import unknown
from gateway.cli.options import GivenPath, config_option, json_option
from gateway.cli.tables import show
from gateway.config import check, load, problems
from gateway.config.serving import install_enabled, router
from gateway.config.store import store_of
from gateway.dialect import CredentialKind, Route, StaticRoute
from gateway.ingest.registry import Installed, discover, install
from gateway.ingest.schema import load as load_schemas

CANONICAL = "jsonschemas.canonical"


@click.group(short_help="List the installed dialects.", invoke_without_command=True)
@json_option
@click.pass_context
def dialects(context: click.Context, as_json: bool) -> None:
    """List the installed dialects: their endpoints, kinds of credentials, scopes and switches."""
    if context.invoked_subcommand is None:
        context.invoke(list_dialects, as_json=as_json)
    elif as_json:
        raise click.UsageError(f"write --json after {context.invoked_subcommand}")


@dialects.command("list", short_help="List the installed dialects.")
@json_option
def list_dialects(as_json: bool) -> None:
    """List the installed dialects: their endpoints, kinds of credentials, scopes and switches."""
    if as_json:
        for each in install(discover(), {}):
            click.echo(json.dumps(_facts(each)))
        return
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
            for each in install(discover(), {})
        ],
    )


@dialects.command(short_help="Show which dialect answers what, and where.")
@config_option
@json_option
def routes(config: Path | None, as_json: bool) -> None:
    """Show which dialect answers what: at the root, under each mount, and on each bound host.

    Dialects that are switched off do not appear. Where several claim a path at the root, `server.root_order` decides.
    """
    settings = load(config)
    rows = list(router(settings, install_enabled(settings, discover())).routes())
    if as_json:
        for method, path, dialect in rows:
            click.echo(json.dumps({"method": method, "path": path, "dialect": dialect}))
        return
    show(("method", "path", "dialect"), rows)


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


@click.command("check-config", short_help="Check a configuration file.")
@click.argument("file", type=GivenPath(path_type=Path))
def check_config(file: Path) -> None:
    """Check whether a configuration FILE is valid, and print every error in it.

    If there is none, check also whether the environment variables that are set now fit it.
    """
    found = discover()
    wrong = problems(file, found)
    for problem in wrong:
        click.echo(f"Error: {' '.join(problem.split())}", err=True)
    if wrong:
        sys.exit(1)
    settings = load(file, dialects=found)
    check(settings, found)
    store_of(settings)
    install(found, settings.switches)
    click.echo(f"{file}: good")


def _endpoints(endpoints: Iterable[Route | StaticRoute]) -> list[str]:
    return [f"{endpoint.method} {path}" for endpoint in endpoints for path in endpoint.paths]


def _facts(installed: Installed) -> dict[str, object]:
    """Return what there is to know of a dialect, under the names of the table's columns."""
    dialect = installed.dialect
    return {
        "dialect": dialect.name,
        "endpoints": _endpoints((*installed.routes, *dialect.static_routes)),
        "kinds": [{"name": kind.name, "public": kind.public} for kind in dialect.kinds],
        "scopes": list(dialect.scopes),
        "switches": {switch.name: switch.meaning for switch in dialect.switches},
    }


def _kind(kind: CredentialKind) -> str:
    return f"{kind.name} (public)" if kind.public else kind.name
