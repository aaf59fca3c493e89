"""`gateway quarantine`: inspect, replay and drop items that were answered with 2xx but are not stored as events."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import click
import orjson

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
from gateway.config import Config, load
from gateway.ingest.registry import installed_by_name
from gateway.operate.explain import explain
from gateway.operate.kept_json import explained, unreadable
from gateway.operate.quarantined import NOT_KEPT, Contents, Shown
from gateway.operate.replay import Replay
from gateway.storage.contract import AppendStatus, Entry
from gateway.storage.records import QUARANTINE_COLUMNS, QuarantineRecord, Records
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
            async for row in records.rejected_requests(project):
                out.write(rejected.line(row) + b"\n")
        else:
            async for row in records.quarantine(project=project):
                if row["verdict"] == (FILTERED if filtered else QUARANTINED):
                    out.write(_line(await _completed(row, records, contents)) + b"\n")
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
        settled_before = await _settled(records, [number])
        item = await records.quarantine_record(number)
    _report(settled_before)
    if item is not None:
        click.echo(json.dumps(_whole(item, _contents(config)), indent=2))


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
            numbers = tuple([row["id"] async for row in rows if row["verdict"] == verdict])
        settled_before = await _settled(records, numbers)
        for line in await _replay(store, records, settings, numbers):
            click.echo(line)
    _report(settled_before)


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
        settled_before = await _settled(records, numbers)
        found = [await records.quarantine_record(number) for number in numbers]
    items = [item for item in found if item is not None]
    contents = _contents(config)
    with must_be_read("nothing was dropped"):
        for item in items:
            click.echo(_line(_row(item, contents)))
        settle()
    entries = [Entry(each.project, each.dialect, each.route, now(), resolves=each.number) for each in items]
    async with open_log(store, settings) as log:
        answers = [await keep(log, entry) for entry in entries]
    click.echo(f"{sum(each.status is AppendStatus.NEW for each in answers)} dropped", err=True)
    _report(settled_before)


async def _replay(store: Store, records: Records, settings: Config, numbers: Sequence[int]) -> list[str]:
    """Store the items that are valid now. Returns the lines to print: the totals, then each failed item and why."""
    replayer = Replay(installed_by_name(settings.switches), settings.keep_ip)
    sums = Counter(stored=0, duplicate=0)
    failed: list[str] = []
    async with open_log(store, settings) as log:
        for number in progress(numbers, "replaying"):
            item = await records.quarantine_record(number)
            if item is None:
                continue
            run = replayer.rerun(item)
            if run.row is None:
                failed += [f"{number}: {explain(each.code, each.pointer, each.detail)}" for each in run.faults[:1]]
                continue
            appended = await keep(log, run.entry(item, now()))
            if appended.status is AppendStatus.NEW:
                sums["duplicate" if appended.duplicates else "stored"] += 1
    stored, duplicate = sums["stored"], sums["duplicate"]
    return [f"{stored} stored, {duplicate} already stored, {len(failed)} failed again", *failed]


async def _settled(records: Records, numbers: Sequence[int]) -> dict[int, str]:
    """Return what happened to the items that are no longer in quarantine: `{1: "stored at position 7"}`.

    Raises ClickException on the id of no item.
    """
    found = {}
    for number in numbers:
        if await records.quarantine_record(number) is None:
            how = await records.settled(number)
            if how is None:
                raise click.ClickException(f"there is no quarantined item {number}; see `gateway quarantine list`")
            found[number] = how
    return found


def _report(settled_before: dict[int, str]) -> None:
    for number, how in settled_before.items():
        click.echo(f"{number}: no longer in quarantine: {how}", err=True)


def _contents(config: Path | None) -> Contents:
    """Return what finds items in their requests; the dialects are read only if there is something to find."""
    return Contents(cache(lambda: installed_by_name(load(config).switches)))


def _row(item: QuarantineRecord, contents: Contents) -> dict[str, Any]:
    """Return an item as a row of the reader's listing, with its payload."""
    fields = attrs.asdict(item, recurse=False)
    receipt = None if item.receipt is None else f"{item.receipt:x}"
    row = {"id": fields.pop("number"), **fields, "receipt": receipt, "item": fields.pop("index")}
    shown = contents.of(item)
    row |= {"message_id": shown.message_id, "payload": shown.payload or "null"}
    not_kept = () if item.kept else ("kept", "size", "sha256")
    return {**{name: row[name] for name in (*QUARANTINE_COLUMNS, *not_kept)}, **_note(shown)}


async def _completed(row: dict[str, Any], records: Records, contents: Contents) -> dict[str, Any]:
    """Return a row of the reader's listing with what only the item's request has."""
    if row["message_id"] is not None and row["payload"] is not None:
        return row
    if "kept" in row:
        return {**row, "payload": "null", "note": NOT_KEPT}
    item = await records.quarantine_record(row["id"])
    if item is None:  # it has just ended
        return {**row, "payload": row["payload"] or "null"}
    shown = contents.of(item)
    return {**row, "message_id": shown.message_id, "payload": shown.payload or "null", **_note(shown)}


def _note(shown: Shown) -> dict[str, str]:
    return {} if shown.note is None else {"note": shown.note}


def _line(row: dict[str, Any]) -> bytes:
    """Return an item as a line of JSON; one that cannot be read says so under `unreadable`.

    The payload is copied as it is, so that numbers of any length survive.
    """
    try:
        payload = orjson.Fragment(str(row["payload"]))
        json.loads(str(row["payload"]), parse_int=str)  # a fragment is not checked
        return orjson.dumps({**row, "faults": explained(row["faults"]), "payload": payload})
    except (ValueError, TypeError, RecursionError) as error:
        return unreadable(row, error)


def _whole(item: QuarantineRecord, contents: Contents) -> dict[str, Any]:
    """Return everything known about an item."""
    known: dict[str, Any] = json.loads(_line(_row(item, contents)))
    return known if item.raw is None else {**known, "request": rejected.request(item.raw)}
