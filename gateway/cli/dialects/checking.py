"""`gateway dialects check`: the suite of the kit, without pytest."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.options import GivenPath
from gateway.cli.tables import progress
from gateway.printable import printable, printable_lines

if TYPE_CHECKING:
    from gateway.testing import Check, Subject
    from gateway.testing.run import Result

STOPPED = 130
"""The exit code of a run that was stopped by a signal."""


@click.command(short_help="Check a dialect with the suite of the kit.")
@click.argument("name")
@click.option(
    "--corpus",
    type=GivenPath(path_type=Path),
    metavar="FOLDER",
    help="Where its corpus lies [default: tests/corpus/NAME].",
)
@click.option("--only", default="", metavar="TEXT", help="Only checks, or cases to accept, with TEXT in their name.")
@click.option("--accept", "accepts", is_flag=True, help="First write what is answered and stored now into the cases.")
@click.option("-v", "--verbose", is_flag=True, help="Print the name of each check before it is run, on stderr.")
def check(name: str, corpus: Path | None, only: str, accepts: bool, verbose: bool) -> None:
    """Check whether the installed dialect NAME keeps every promise of a dialect.

    Its corpus is a folder of cases. Whatever is wrong is printed with what to do, and the exit code is 1.
    """
    # The kit imports servers and stores: that should cost the other commands nothing.
    from gateway.testing import Failure, dialect_checks, subject
    from gateway.testing.run import ended_by_sigterm, report, run

    # What a gateway logs of the hostile requests is for the checks to read, not for who runs them.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        with ended_by_sigterm():
            found = subject(name, corpus)
            if accepts:
                _accept(found, only)
                found = subject(name, found.corpus.folder)
            suite = dialect_checks(found)
    except Failure as failure:
        raise click.ClickException(printable(failure.line)) from None
    chosen = [each for each in suite if only in each.name]
    if not chosen:
        raise click.ClickException(printable(f"no check of {name} has {only!r} in its name"))
    click.echo(f"{name}: {len(chosen)} check{'' if len(chosen) == 1 else 's'}")
    results: list[Result] = []
    code = 0
    running = map(_named, chosen) if verbose else progress(chosen, f"Checking {name}")
    try:
        with ended_by_sigterm():
            code = min(run(running, results.append), 1)
    except KeyboardInterrupt:
        code = STOPPED
    for text in report(results, suite):
        click.echo(printable_lines(text))
    if code == STOPPED:
        click.echo(f"Stopped: {len(chosen) - len(results)} of {len(chosen)} checks did not end.", err=True)
    sys.exit(code)


def _named(each: "Check") -> "Check":
    """Return a check that is about to be run, and print its name: so one that takes long is known."""
    click.echo(printable(str(each)), err=True)
    return each


def _accept(subject: "Subject", only: str) -> None:
    """Write the expectations of the cases with a text in their name anew, and say which files are others now."""
    from gateway.testing import accept

    cases = [case for case in subject.corpus.cases if only in f"cases/{case.name}"]
    if not cases:
        raise click.ClickException(printable(f"no case of {subject.dialect.name} has {only!r} in its name"))
    for file in accept(subject, cases):
        click.echo(printable(f"accepted: {file}"))
