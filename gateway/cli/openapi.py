"""`gateway openapi`: what a dialect takes and answers, as an OpenAPI document."""

import json
from pathlib import Path

import click

from gateway.cli.names import dialect_of
from gateway.cli.options import config_option
from gateway.config import Config, ConfigError, load
from gateway.config.serving import install_enabled, router
from gateway.http.bind import callable_url, url_to
from gateway.ingest.registry import discover
from gateway.operate.openapi.document import document

ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 (addresses that a client cannot call)


@click.command(short_help="Print the OpenAPI document of a dialect.")
@click.argument("dialect")
@click.option("--url", help="Where clients reach the gateway. Without it, public_url, or where it listens.")
@config_option
def openapi(dialect: str, url: str | None, config: Path | None) -> None:
    """Print the OpenAPI 3.1 document of a DIALECT, as JSON.

    It describes the dialect as this configuration serves it: its switches, and which of its paths another dialect
    answers at the root.
    """
    settings = load(config)
    name = dialect_of(dialect).name
    if not settings.enabled(name):
        raise ConfigError(f"the dialect {name} is switched off by dialects.{name}.enabled")
    installed = install_enabled(settings, discover())
    [own] = [each for each in installed if each.dialect.name == name]
    hosts = [host for host, owner in settings.hosts.items() if owner == name]
    made = document(
        own, router(settings, installed), (url or settings.server.public_url or _address(settings)).rstrip("/"), hosts
    )
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))


def _address(settings: Config) -> str:
    server = settings.server
    if not server.hosts:
        return callable_url(server.url)
    host = "localhost" if server.hosts[0] in ANYWHERE else server.hosts[0]
    return url_to(host, server.port, server.scheme)
