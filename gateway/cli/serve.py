"""`gateway serve`: settings from the command line, then the server."""

import sys
from pathlib import Path

import click

from gateway.cli.options import GivenPath, check_place, place_options
from gateway.config import ServerSettings, check, load
from gateway.ingest.registry import discover

DEFAULT = ServerSettings()


@click.command(short_help="Run the server.")
@place_options
@click.option("--host", help=f"The address to listen on [default: {DEFAULT.host}].")
@click.option("--port", type=click.IntRange(0, 65535), help=f"The port; 0 picks a free one [default: {DEFAULT.port}].")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help=f"HTTP worker processes; on SQLite they share one writer [default: {DEFAULT.workers}].",
)
@click.option("--config", type=GivenPath(path_type=Path), help="A TOML file [default: GATEWAY_CONFIG].")
def serve(data: Path | None, storage: str | None, config: Path | None, **of_server: str | int | None) -> None:
    """Run the server until it is stopped by SIGTERM or Ctrl-C.

    The first start on an empty store creates a project `default` with one credential per dialect, and prints
    how to use them. The server prints http://HOST:PORT when it is ready.
    """
    from gateway.serve import serve as run  # slow to import, and no other command needs it

    check_place(data, storage)
    found = discover()
    settings = load(config, {"data": data, "storage": storage, **of_server}, dialects=found)
    check(settings, found)
    sys.exit(run(settings))
