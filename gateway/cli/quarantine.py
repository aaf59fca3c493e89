"""`gateway quarantine`: inspect, replay and drop items that were answered with 2xx but are not stored as events."""

import json
import sys
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import click

from gateway.cli import rejected
from gateway.cli.log_access import keep, open_log
from gateway.cli.names import check_project
from gateway.cli.options import (
    NUMBER,
    config_option,
    filtered_option,
    format_option,
    numbers_argument,
    project_option,
    rejected_option,
    store_option,
)
from gateway.cli.output.streams import must_be_read, settle
from gateway.cli.tables import progress
from gateway.clock import now
from gateway.config import load
from gateway.ingest.registry import installed_by_name
from gateway.operate.held import quarantine as held
from gateway.operate.held.contents import Contents
from gateway.operate.held.quarantine import UnknownItem, settled_before
from gateway.operate.held.replay import Replay
from gateway.operate.held.shown import completed, item_line, rejected_line, row, whole_item
from gateway.storage.records import Records
from gateway.storage.store import Store

QUARANTINED, FILTERED = "quarantined", "filtered"


@click.group(short_help="Inspect, replay and drop quarantined items.")
def quarantine() -> None:
    """Inspect, replay and drop items that were quarantined or filtered, and inspect and replay rejected requests."""


@quarantine.command("list", short_help="List quarantined items.")
@store_option
@project_option
@filtered_option
@rejected_option
@format_option("jsonl")
@config_option
async def show_list(
    store: Store, project: str | None, filtered: bool, of_rejected: bool, form: str, config: Path | None
) -> None:
    """List quarantined items as JSON, one per line, with their faults and their payloads as they were sent."""
    out = sys.stdout.buffer
    contents = _contents(config)
    async with store.records() as records:
        await check_project(project, store)
        if of_rejected:
            async for each in records.rejected_requests(project):
                out.write(rejected_line(each) + b"\n")
        else:
            async for each in records.quarantine(project=project):
                if each["verdict"] == (FILTERED if filtered else QUARANTINED):
                    out.write(item_line(await completed(each, records, contents)) + b"\n")
    out.flush()


@quarantine.command(short_help="Show one item and its request.")
@click.argument("number", metavar="ID", type=NUMBER)
@store_option
@rejected_option
@config_option
async def show(store: Store, number: int, of_rejected: bool, config: Path | None) -> None:
    """Print everything known about one item, with the request that it came in."""
    async with store.records() as records:
        if of_rejected:
            click.echo(await rejected.shown(records, number))
            return
        settled = await _settled(records, [number])
        item = await records.quarantine_record(number)
    _report(settled)
    if item is not None:
        click.echo(json.dumps(whole_item(item, _contents(config)), indent=2))


@quarantine.command(short_help="Store the items that are valid by now.")
@numbers_argument
@click.option("--all", "everything", is_flag=True, help="Replay everything in quarantine, oldest first.")
@filtered_option
@rejected_option
@store_option
@click.option("--project", help="Only this project; with --rejected, where a request goes that belongs to no project.")
@config_option
async def replay(
    store: Store,
    numbers: tuple[int, ...],
    everything: bool,
    filtered: bool,
    of_rejected: bool,
    project: str | None,
    config: Path | None,
) -> None:
    """Translate items again with the installed dialects, and store those that are valid now.

    They are stored with the time at which they were received. The others stay, and the reason is printed. A server may
    be running on the directory. It is safe to replay an item twice, or again after a kill: it is stored once.
    """
    if everything == bool(numbers):
        raise click.UsageError("give the ids of the items to replay, or --all")
    if of_rejected and everything:
        raise click.UsageError("replay rejected requests one at a time, by id: their clients may have sent them again")
    settings = load(config)
    async with store.records() as records:
        await check_project(project, store, config)
        if of_rejected:
            await rejected.replay(store, records, settings, numbers, project)
            return
        if everything:
            verdict = FILTERED if filtered else QUARANTINED
            rows = records.quarantine(project=project)
            numbers = tuple([each["id"] async for each in rows if each["verdict"] == verdict])
        settled = await _settled(records, numbers)
        replayer = Replay(installed_by_name(settings.switches), settings.keep_ip, settings.asked)
        async with open_log(store, settings) as log:
            done = await held.replay(records, partial(keep, log), replayer, progress(numbers, "replaying"), now)
        for line in (done.summary, *[f"{number}: {why}" for number, why in done.failed]):
            click.echo(line)
    _report(settled)


@quarantine.command(short_help="Remove items for good.")
@numbers_argument
@store_option
@config_option
async def drop(store: Store, numbers: tuple[int, ...], config: Path | None) -> None:
    """Print items as `list` does, and remove them for good once all of it was written."""
    if not numbers:
        raise click.UsageError("give the ids of the items to drop")
    settings = load(config)
    async with store.records() as records:
        settled = await _settled(records, numbers)
        found = [await records.quarantine_record(number) for number in numbers]
    items = [item for item in found if item is not None]
    contents = _contents(config)
    with must_be_read("nothing was dropped"):
        for item in items:
            click.echo(item_line(row(item, contents)))
        settle()
    async with open_log(store, settings) as log:
        dropped = await held.drop(partial(keep, log), items, now)
    click.echo(f"{dropped} dropped", err=True)
    _report(settled)


def _report(settled_before: dict[int, str]) -> None:
    for number, how in settled_before.items():
        click.echo(f"{number}: no longer in quarantine: {how}", err=True)


async def _settled(records: Records, numbers: Sequence[int]) -> dict[int, str]:
    """Return how those of the items ended that did. Raises ClickException on the id of no item."""
    try:
        return await settled_before(records, numbers)
    except UnknownItem as unknown:
        raise click.ClickException(f"{unknown}; see `gateway quarantine list`") from None


def _contents(config: Path | None) -> Contents:
    """Return what finds items in their requests; the dialects are read only if there is something to find."""
    return Contents(cache(lambda: installed_by_name(load(config).switches)))
