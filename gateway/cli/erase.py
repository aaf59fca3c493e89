"""`gateway erase`: erase one person."""

import contextlib
import json
from functools import cache
from pathlib import Path

import click

from gateway.cli.log_access import open_log
from gateway.cli.names import check_project
from gateway.cli.options import config_option, json_option, store_option
from gateway.clock import now
from gateway.config import load
from gateway.dialect.outcome import StorageUnavailable
from gateway.ingest.registry import installed_by_name
from gateway.operate import erasing
from gateway.operate.held.contents import Contents
from gateway.printable import printable
from gateway.records.person import Person
from gateway.storage.erasing.step import ErasingStorage
from gateway.storage.store import Store


@click.command(short_help="Erase one person.")
@store_option
@click.option("--project", required=True, help="The person's project.")
@click.option("--user-id", metavar="U", help="The person's user id.")
@click.option("--anonymous-id", metavar="A", help="The person's anonymous id, instead.")
@click.option("--dry-run", is_flag=True, help="Change nothing, and say what would be erased.")
@json_option
@config_option
async def erase(
    store: Store,
    project: str,
    user_id: str | None,
    anonymous_id: str | None,
    dry_run: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Erase one person of a project: events, kept requests, quarantined items, rejected requests and files.

    When the command returns, the id and the person's events are in no file of the data directory. Where the id stands
    in events of others it is replaced by [erased]. Late retries of what was erased are not stored again; what the
    person does from now on is. The command can be run beside a server, and again if it was killed.
    """
    person = _person(project, user_id, anonymous_id)
    settings = load(config)
    await check_project(project, store, config)
    contents = Contents(cache(lambda: installed_by_name(settings.switches)))
    async with contextlib.AsyncExitStack() as stack:
        writer = None
        if store.directory is not None and not dry_run:
            opened = await stack.enter_async_context(open_log(store, settings))
            assert isinstance(opened, ErasingStorage), "a store with a directory is erased from by its writer"
            writer = opened
        eraser = await stack.enter_async_context(store.eraser(writer))
        try:
            report = await eraser.erase(person, at=now(), payload_of=erasing.payload_of(contents), dry_run=dry_run)
        except (StorageUnavailable, RuntimeError) as problem:
            raise click.ClickException(str(problem)) from None
    backups = await _backups(store)
    if as_json:
        click.echo(json.dumps(erasing.as_json(person, report, backups, dry_run=dry_run)))
        return
    for line in erasing.lines(report, backups, dry_run=dry_run):
        click.echo(printable(line))


def _person(project: str, user_id: str | None, anonymous_id: str | None) -> Person:
    if (user_id is None) == (anonymous_id is None):
        raise click.UsageError("give one of --user-id and --anonymous-id")
    identifier = user_id if user_id is not None else anonymous_id
    assert identifier is not None, "one is given"
    if any(0xD800 <= ord(each) <= 0xDFFF for each in identifier):
        raise click.UsageError("an id is text in UTF-8")
    if not identifier:
        raise click.UsageError("an id has at least one character")
    return Person(project=project, kind="anonymous_id" if user_id is None else "user_id", id=identifier)


async def _backups(store: Store) -> list[str]:
    """Return the names of the backups that were made so far, where the store remembers them."""
    remembered = getattr(store, "backups", None)
    return [] if remembered is None else [each.name for each in await remembered()]
