"""`gateway check-config`: whether a configuration fits what is installed."""

import sys
from pathlib import Path

import click

from gateway.cli.options import GivenPath
from gateway.config import check, load, problems
from gateway.config.store import store_of
from gateway.ingest.registry import discover, install


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
