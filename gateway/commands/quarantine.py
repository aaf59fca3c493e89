"""`gateway quarantine`: what was answered 2xx and yet is no event, with the reasons."""

import sys
from pathlib import Path

import click
import orjson

from gateway.commands.options import data_option, format_option, log_of, project_option
from gateway.storage.reader import Reader


@click.group()
def quarantine() -> None:
    """Look at items that were kept aside."""


@quarantine.command("list")
@data_option
@project_option
@format_option("jsonl")
def show_list(data: Path | None, project: str | None, form: str) -> None:
    """Print one quarantined item a line, with its faults and the payload as it came."""
    out = sys.stdout.buffer
    with Reader(log_of(data)) as reader:
        for row in reader.quarantine(project=project):
            # Both are JSON text already: put in as they are, so that numbers of any length survive.
            for name in ("faults", "payload"):
                row[name] = orjson.Fragment(str(row[name]))
            out.write(orjson.dumps(row) + b"\n")
    out.flush()
