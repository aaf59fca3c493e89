"""`gateway events`: read the log. Events are printed byte for byte as they were stored; nothing is parsed."""

import contextlib
import select
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import click

from gateway.cli.names import check_project
from gateway.cli.options import GivenPath, data_option, format_option, log_of, project_option
from gateway.cli.outcomes import counts
from gateway.cli.output.target import target
from gateway.cli.retranslate import retranslate
from gateway.storage.sqlite.read.log import Reader

BLOCK_BYTES = 1 << 20
TAIL_MILLIS = 250


def jsonl(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Yield events as JSON lines, in blocks of about BLOCK_BYTES. Each of `bodies` is one line or several."""
    lines: list[bytes] = []
    size = 0
    for body in bodies:
        lines.append(body)
        size += len(body)
        if size >= BLOCK_BYTES:
            yield b"\n".join(lines) + b"\n"
            lines, size = [], 0
    if lines:
        yield b"\n".join(lines) + b"\n"


FORMATS: Mapping[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {"jsonl": jsonl}


@click.group(short_help="Read stored events.")
def events() -> None:
    """Read stored events: export, follow or count them."""


@events.command(short_help="Print all stored events.")
@data_option
@project_option
@format_option(*FORMATS)
@click.option(
    "--output",
    type=GivenPath(path_type=Path),
    help="Write to this file, which appears when it is complete; - is standard output.",
)
def export(data: Path | None, project: str | None, form: str, output: Path | None) -> None:
    """Print all stored events as canonical JSON, one per line. A server may be running on the directory."""
    directory = log_of(data)
    check_project(project, directory)
    with Reader(directory) as reader, target(output, directory) as write:
        # Without a project nothing need be taken apart.
        bodies = reader.lines() if project is None else (body for _, body in reader.bodies(project=project))
        for block in FORMATS[form](bodies):
            write(block)


@events.command(short_help="Print events as they are stored.")
@data_option
@project_option
def tail(data: Path | None, project: str | None) -> None:
    """Print events as they are stored, until stopped by Ctrl-C."""
    directory = log_of(data)
    check_project(project, directory)
    out = sys.stdout.buffer
    reading = select.poll()
    reading.register(out.fileno(), 0)  # poll() reports without being asked that a pipe's reader is gone
    with Reader(directory) as reader, contextlib.suppress(KeyboardInterrupt):
        for _, body in reader.follow(reader.last(), lambda: not reading.poll(TAIL_MILLIS), project):
            out.write(body + b"\n")
            out.flush()


@events.command(short_help="Print the number of stored events.")
@data_option
@project_option
def count(data: Path | None, project: str | None) -> None:
    """Print the number of stored events."""
    directory = log_of(data)
    check_project(project, directory)
    with Reader(directory) as reader:
        click.echo(reader.count(project))


events.add_command(counts)
events.add_command(retranslate)
