"""`gateway dialects list` and `routes`: what is installed, and who answers what."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from gateway.cli.options import config_option, json_option
from gateway.cli.tables import show
from gateway.config import load
from gateway.config.serving import install_enabled, router
from gateway.dialect import CredentialKind, Route, StaticRoute
from gateway.ingest.registry import Installed, discover, install


@click.command("list", short_help="List the installed dialects.")
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


@click.command(short_help="Show which dialect answers what, and where.")
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
