"""`gateway serve`: settings from the command line, then the server."""

import sys
from pathlib import Path

import click

from gateway.cli.options import GivenPath, check_place, place_options
from gateway.config import Config, ServerSettings, check, load
from gateway.config.addresses import OFF, console_address
from gateway.ingest.registry import discover
from gateway.workers.control.signals import ignore_harmless

DEFAULT = ServerSettings()


@click.command(short_help="Run the server.")
@place_options
@click.option("--host", multiple=True, help=f"An address to listen on; repeatable [default: {DEFAULT.host}].")
@click.option("--port", type=click.IntRange(0, 65535), help=f"The port; 0 picks a free one [default: {DEFAULT.port}].")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help=f"HTTP worker processes; on SQLite they share one writer [default: {DEFAULT.workers}].",
)
@click.option("--tls-cert", metavar="FILE", help="The certificate with its chain (PEM): speaks https. Needs --tls-key.")
@click.option("--tls-key", metavar="FILE", help="The key of the certificate (PEM).")
@click.option("--console", metavar="HOST:PORT", help=f"Where the console listens [default: {DEFAULT.console}].")
@click.option("--no-console", is_flag=True, help="Start no console.")
@click.option("--config", type=GivenPath(path_type=Path), help="A TOML file [default: GATEWAY_CONFIG].")
def serve(
    data: Path | None,
    storage: str | None,
    config: Path | None,
    host: tuple[str, ...],
    console: str | None,
    no_console: bool,
    **of_server: str | int | tuple[str, ...] | None,
) -> None:
    """Run the server until it is stopped by SIGTERM or Ctrl-C.

    The first start on an empty store creates a project `default` with one credential per dialect, and prints
    how to use them. Each start prints a link that logs in to the console once, and last http://HOST:PORT, when the
    server is ready: with TLS it is https://HOST:PORT, and where it listens on a Unix socket alone, unix:PATH. SIGHUP
    reads the configuration again.
    """
    ignore_harmless()
    from gateway.serve import serve as run  # slow to import, and no other command needs it

    check_place(data, storage)
    if no_console and console is not None:
        raise click.UsageError("--console and --no-console exclude each other")
    _check_address(console)
    of_server["console"] = OFF if no_console else console
    of_server["host"] = host[0] if len(host) == 1 else host or None  # one is as the default is
    found = discover()

    def read() -> Config:
        settings = load(config, {"data": data, "storage": storage, **of_server}, dialects=found)
        check(settings, found)
        return settings

    sys.exit(run(read(), read))


def _check_address(console: str | None) -> None:
    if console is None:
        return
    try:
        console_address(console)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--console'") from None
