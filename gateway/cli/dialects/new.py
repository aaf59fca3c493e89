"""`gateway dialects new`: a distribution with a new dialect, to begin with."""

import shlex
from pathlib import Path

import click

from gateway.cli.options import GivenPath
from gateway.ingest.registry import discover
from gateway.printable import printable

NEXT = """\
{folder} has the dialect {name}, which answers POST /api/{name}/v1/events.

Next:
  cd {folder}
  pip install -e '.[test]'
  pytest
  gateway dialects check {name}
  gateway serve --data data

Its README.md says what to change first.
"""


@click.command(short_help="Write a new dialect to begin with.")
@click.argument("name")
@click.option("--into", type=GivenPath(path_type=Path), metavar="FOLDER", help="A new folder [default: NAME-dialect].")
@click.option("--title", metavar="TEXT", help="The vendor's name as it is written [default: NAME, capitalized].")
def new(name: str, into: Path | None, title: str | None) -> None:
    """Write a distribution with a new dialect NAME: one that installs and passes, for you to change.

    It has the dialect, its schema, a corpus of three cases, and a test that runs the suite.
    """
    # A command that nobody asked for should cost the others nothing.
    from gateway.testing.scaffold.distribution import CannotWrite, distribution_of, write

    folder = into or Path(distribution_of(name))
    try:
        write(name, folder, {dialect.name for dialect in discover()}, title)
    except CannotWrite as error:
        raise click.ClickException(printable(str(error))) from None
    click.echo(NEXT.format(folder=printable(shlex.quote(str(folder))), name=name), nl=False)
