"""`gateway backup create`, `verify` and `restore`."""

import json
import os
import shlex
from contextlib import suppress
from pathlib import Path

import attrs
import click

from gateway.cli.events.progress import ending
from gateway.cli.options import GivenPath, json_option, store_option
from gateway.cli.tables import counting, show
from gateway.clock import now
from gateway.operate.backup.create import Create
from gateway.operate.backup.reader import BackupReader
from gateway.operate.backup.restore import Restore
from gateway.operate.backup.verify import Contents, verify
from gateway.storage.store import Store

NICE = 10
"""By how much a backup that is made gives way to the server beside it."""
FILE = click.argument("file", type=GivenPath(path_type=Path))


@click.group(short_help="Make a backup, check it, restore it.")
def backup() -> None:
    """One file with all that a store has: made while gateways run, checked, restored into a new store."""


@backup.command(short_help="Make a backup, also of a store in use.")
@click.option("--to", "file", metavar="FILE", type=GivenPath(path_type=Path), required=True, help="A new file.")
@click.option(
    "--rejected", "with_rejected", is_flag=True, help="With the kept requests that were answered with an error."
)
@store_option
@json_option
async def create(store: Store, file: Path, with_rejected: bool, as_json: bool) -> None:
    """Write a new file with all that a store has: events, receipts, quarantine, credentials, counters, files.

    Gateways may serve on the store meanwhile. The file has its name once it is whole and on disk.
    """
    _check_place(store, file)
    with suppress(OSError):
        os.nice(NICE)
    async with ending(store) as share:
        with counting("backing up") as count:
            making = Create(store, file, now(), with_rejected, lambda events, line: count(events, share.at(line)))
            contents = await making.run()
    _tell(contents, as_json, f"{file} is made: {_summary(contents)}")


@backup.command("verify", short_help="Read all of a backup and check it.")
@FILE
@json_option
def check(file: Path, as_json: bool) -> None:
    """Read a backup to its end, check its digest and counts, and print what it has."""
    with counting("reading") as count:
        contents = verify(file, count)
    if not as_json:
        made = {"made": contents.made_at, "of": contents.source, "engine": contents.engine, "by": contents.gateway}
        rows = [*made.items(), *[(name, f"{number:,}") for name, number in contents.counts.items()]]
        show(("backup", ""), [(name.replace("_", " "), value) for name, value in rows])
    _tell(contents, as_json, f"{file} is whole: {_summary(contents)}")


@backup.command(short_help="Restore a backup into a new store.")
@FILE
@store_option
async def restore(store: Store, file: Path) -> None:
    """Fill a new data directory or an empty database from a backup.

    No gateway starts on it until all is there. After a kill the same command goes on where it was.
    """
    with BackupReader.opened(file) as reader:
        async with store.move_target() as target:
            with counting("restoring") as count:
                contents = await Restore(reader, target, count).run()
    if contents is None:
        click.echo(f"{store.name} was restored before; nothing was changed")
        return
    place = f"--storage {shlex.quote(store.name)}" if store.directory is None else f"--data {shlex.quote(store.name)}"
    click.echo(f"{store.name} is restored: {_summary(contents)}")
    hint = "put the password back into the URL and " if store.directory is None else ""
    click.echo(f"{hint}start the gateway with: gateway serve {place}")


def _check_place(store: Store, file: Path) -> None:
    if store.directory is not None:
        inside, folder = Path(os.path.realpath(file.parent)), Path(os.path.realpath(store.directory.path))
        if inside == folder or folder in inside.parents:
            raise click.ClickException(f"{file} is in the data directory itself; write the backup to another place")


def _summary(contents: Contents) -> str:
    events, size = contents.counts.get("events", 0), contents.bytes
    return f"{events} events, {size} bytes, digest {contents.digest}"


def _tell(contents: Contents, as_json: bool, text: str) -> None:
    click.echo(json.dumps(attrs.asdict(contents)) if as_json else text)
