"""`gateway serve`: settings from the command line, then the server."""

import sys
from pathlib import Path

import click

from gateway.cli.options import data_option
from gateway.config import check, load
from gateway.ingest.registry import discover


@click.command()
@data_option
@click.option("--host", help="The address to listen on [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes any that is free [default: 8080].")
@click.option("--workers", type=click.IntRange(1, 256), help="HTTP processes before the one writer [default: 1].")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file [default: GATEWAY_CONFIG].")
def serve(data: Path | None, host: str | None, port: int | None, workers: int | None, config: Path | None) -> None:
    """Take events in until stopped.

    On an empty data directory it makes a project `default` with one credential a dialect, and prints how to use them.
    It prints http://HOST:PORT once it is ready.
    """
    from gateway.serve import serve as run  # the other commands need not wait for a server

    settings = load(config, {"data": data, "host": host, "port": port, "workers": workers})
    check(settings, discover())
    sys.exit(run(settings))
