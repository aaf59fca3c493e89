"""`gateway console`: the console by itself, beside a server that runs without one or on another machine."""

import sys
from pathlib import Path

import click

from gateway.cli.options import GivenPath, check_place, place_options
from gateway.config import Config, check, load
from gateway.ingest.registry import discover
from gateway.workers.control.signals import ignore_harmless

HOST, PORT = "127.0.0.1", 8081


@click.command(short_help="Run the console alone.")
@place_options
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="The port; 0 picks a free one."
)
@click.option("--config", type=GivenPath(path_type=Path), help="The server's TOML file [default: GATEWAY_CONFIG].")
def console(data: Path | None, storage: str | None, host: str, port: int, config: Path | None) -> None:
    """Run the console until it is stopped by SIGTERM or Ctrl-C.

    `gateway serve` starts one by itself, unless it has --no-console. The console prints a link that logs in once, and
    last its URL.
    """
    ignore_harmless()
    from gateway.console.process import run  # slow to import, and no other command needs it

    check_place(data, storage)
    found = discover()
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def read() -> Config:
        settings = load(config, {"data": data, "storage": storage, "console": address}, dialects=found)
        check(settings, found)
        return settings

    sys.exit(run(read(), read, host, port, _announce))


def _announce(link: str, url: str) -> None:
    from gateway.operate.first_start import console_text

    click.echo(f"{console_text(link)}\n{url}")
    sys.stdout.flush()
