"""`gateway events`: the log on standard output or in a file. Bodies are JSON lines as they lie; nothing is parsed."""

import contextlib
import os
import select
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import click

from gateway.cli.options import data_option, format_option, log_of, project_option
from gateway.cli.outcomes import outcomes
from gateway.cli.retranslate import retranslate
from gateway.storage.sqlite.read.log import Reader

BLOCK_BYTES = 1 << 20
TAIL_MILLIS = 250


def jsonl(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Yield events as lines, many a block."""
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


@click.group()
def events() -> None:
    """Read the events that were kept."""


@events.command()
@data_option
@project_option
@format_option(*FORMATS)
@click.option("--output", type=click.Path(path_type=Path), help="A file; it appears when it is complete.")
def export(data: Path | None, project: str | None, form: str, output: Path | None) -> None:
    """Print one canonical event a line; a server may run on the directory or not."""
    with Reader(log_of(data)) as reader, _target(output) as file:
        for block in FORMATS[form](body for _, body in reader.bodies(project=project)):
            file.write(block)


@events.command()
@data_option
@project_option
def tail(data: Path | None, project: str | None) -> None:
    """Print events as they come in, until stopped."""
    out = sys.stdout.buffer
    reading = select.poll()
    reading.register(out.fileno(), 0)  # no event is asked for; that the pipe's reader is gone is told all the same
    with Reader(log_of(data)) as reader, contextlib.suppress(KeyboardInterrupt):
        for _, body in reader.follow(reader.last(), lambda: not reading.poll(TAIL_MILLIS), project):
            out.write(body + b"\n")
            out.flush()


@events.command()
@data_option
@project_option
def count(data: Path | None, project: str | None) -> None:
    """Print how many events there are."""
    with Reader(log_of(data)) as reader:
        click.echo(reader.count(project))


events.add_command(outcomes, "counts")
events.add_command(retranslate)


@contextlib.contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    """Open standard output, or a file beside its final name that takes it when all is written and on disk."""
    if output is None:
        out = sys.stdout.buffer
        yield out
        out.flush()
        return
    descriptor, part = tempfile.mkstemp(dir=output.absolute().parent, prefix=f".{output.name}.")
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(part, output)
    except BaseException:
        os.unlink(part)
        raise
