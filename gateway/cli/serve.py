"""`gateway serve`: settings from the command line, then the server."""

import sys
from pathlib import Path

import click

from gateway.cli.options import data_option
from gateway.config import check, load
from gateway.ingest.registry import discover


@click.command(short_help="Run the server.")
@data_option
@click.option("--host", help="The address to listen on [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 picks a free one [default: 8080].")
@click.option(
    "--workers", type=click.IntRange(1, 256), help="HTTP worker processes; they share one writer [default: 1]."
)
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file [default: GATEWAY_CONFIG].")
def serve(data: Path | None, host: str | None, port: int | None, workers: int | None, config: Path | None) -> None:
    """Run the server until it is stopped by SIGTERM or Ctrl-C.

    The first start on an empty data directory creates a project `default` with one credential per dialect, and prints
    how to use them. The server prints http://HOST:PORT when it is ready.
    """
    from gateway.serve import serve as run  # slow to import, and no other command needs it

    settings = load(config, {"data": data, "host": host, "port": port, "workers": workers})
    check(settings, discover())
    sys.exit(run(settings))
