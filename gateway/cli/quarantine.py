"""`gateway quarantine`: what was answered 2xx and yet is no event: looked at, replayed, dropped."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import attrs
import click
import orjson

from gateway.cli import rejected
from gateway.cli.log_access import LogAccess, desk, keep
from gateway.cli.options import (
    NUMBER,
    config_option,
    data_option,
    format_option,
    log_of,
    numbers_argument,
    project_option,
)
from gateway.cli.tables import progress
from gateway.clock import now
from gateway.config import load
from gateway.ingest.registry import installed_by_name
from gateway.operate.explain import explain
from gateway.operate.replay import Replay
from gateway.storage.contract import AppendStatus, Entry
from gateway.storage.sqlite.read.log import COLUMNS, Reader
from gateway.storage.sqlite.read.quarantine import QuarantineRecord, quarantine_ids, quarantine_record, settled
from gateway.storage.sqlite.read.rejected import rejected_requests

QUARANTINED, FILTERED = "quarantined", "filtered"
rejected_option = click.option(
    "--rejected", "--refused", "of_rejected", is_flag=True, help="Requests answered with an error instead."
)
filtered_option = click.option("--filtered", is_flag=True, help="Those that a filter took out instead.")


@click.group()
def quarantine() -> None:
    """Look at items that were kept aside, replay them, drop them."""


@quarantine.command("list")
@data_option
@project_option
@filtered_option
@rejected_option
@format_option("jsonl")
def show_list(data: Path | None, project: str | None, filtered: bool, of_rejected: bool, form: str) -> None:
    """Print one item a line, with its faults and the payload as it came."""
    out = sys.stdout.buffer
    if of_rejected:
        for row in rejected_requests(log_of(data), project):
            out.write(rejected.line(row) + b"\n")
        return
    with Reader(log_of(data)) as reader:
        for row in reader.quarantine(project=project):
            if row["verdict"] == (FILTERED if filtered else QUARANTINED):
                out.write(_line(row) + b"\n")
    out.flush()


@quarantine.command()
@click.argument("number", metavar="ID", type=NUMBER)
@data_option
@rejected_option
def show(number: int, data: Path | None, of_rejected: bool) -> None:
    """Print all that is known of one item, with the request that it came in."""
    if of_rejected:
        click.echo(rejected.shown(log_of(data), number))
        return
    with Reader(log_of(data)) as reader:
        ended = _ended(reader, [number])
        item = quarantine_record(reader, number)
    _tell(ended)
    if item is not None:
        click.echo(json.dumps(_whole(item), indent=2))


@quarantine.command()
@numbers_argument
@click.option("--all", "everything", is_flag=True, help="All that are held, oldest first.")
@filtered_option
@rejected_option
@data_option
@project_option
@config_option
def replay(
    numbers: tuple[int, ...],
    everything: bool,
    filtered: bool,
    of_rejected: bool,
    data: Path | None,
    project: str | None,
    config: Path | None,
) -> None:
    """Run items through today's dialects: what is fit now is stored as an event of the time at which it came.

    A server may run on the directory or not. Replaying twice, or after a kill in between, stores nothing twice.
    """
    if everything == bool(numbers):
        raise click.UsageError("name the items to replay, or say --all")
    if of_rejected and everything:
        raise click.UsageError("replay rejected requests one at a time, by id: their clients may have sent them again")
    settings, directory = load(config, {"data": data}), log_of(data)
    if of_rejected:
        rejected.replay(directory, settings, numbers)
        return
    with Reader(directory) as reader:
        if everything:
            numbers = tuple(quarantine_ids(reader, FILTERED if filtered else QUARANTINED, project))
        ended = _ended(reader, numbers)
        replayer = Replay(installed_by_name(settings.switches), settings.keep_ip)
        for line in asyncio.run(_replay(reader, replayer, desk(directory, settings), numbers)):
            click.echo(line)
    _tell(ended)


@quarantine.command()
@numbers_argument
@data_option
@config_option
def drop(numbers: tuple[int, ...], data: Path | None, config: Path | None) -> None:
    """Print items as `list` does, and remove them for good."""
    if not numbers:
        raise click.UsageError("name the items to drop")
    settings, directory = load(config, {"data": data}), log_of(data)
    with Reader(directory) as reader:
        ended = _ended(reader, numbers)
        items = [item for item in (quarantine_record(reader, number) for number in numbers) if item is not None]
    for item in items:
        click.echo(_line(_row(item)))
    entries = [Entry(each.project, each.dialect, each.route, now(), resolves=each.number) for each in items]
    click.echo(f"{asyncio.run(_drop(desk(directory, settings), entries))} dropped", err=True)
    _tell(ended)


async def _replay(
    reader: Reader, replayer: Replay, opened: AbstractAsyncContextManager[LogAccess], numbers: Sequence[int]
) -> list[str]:
    """Append what is fit today, and return what to say: the sums, then what failed again and why."""
    sums = Counter(stored=0, duplicate=0)
    failed: list[str] = []
    async with opened as store:
        for number in progress(numbers, "replaying"):
            item = quarantine_record(reader, number)
            if item is None:
                continue
            run = replayer.rerun(item)
            if run.row is None:
                failed += [f"{number}: {explain(each.code, each.pointer, each.detail)}" for each in run.faults[:1]]
                continue
            appended = await keep(store, run.entry(item, now()))
            if appended.status is AppendStatus.NEW:
                sums["duplicate" if True in appended.seen else "stored"] += 1
    stored, duplicate = sums["stored"], sums["duplicate"]
    return [f"{stored} stored, {duplicate} stored before, {len(failed)} failed again", *failed]


async def _drop(opened: AbstractAsyncContextManager[LogAccess], entries: Sequence[Entry]) -> int:
    """Settle items without storing anything, and return how many were there still."""
    async with opened as store:
        answers = [await keep(store, entry) for entry in entries]
    return sum(each.status is AppendStatus.NEW for each in answers)


def _ended(reader: Reader, numbers: Sequence[int]) -> dict[int, str]:
    """Return how those of the items ended that did."""
    ended = {}
    for number in numbers:
        if quarantine_record(reader, number) is None:
            how = settled(reader, number)
            if how is None:
                raise click.ClickException(f"there is no held item {number}; `gateway quarantine list` shows them")
            ended[number] = how
    return ended


def _tell(ended: dict[int, str]) -> None:
    for number, how in ended.items():
        click.echo(f"{number} ended before: {how}", err=True)


def _row(item: QuarantineRecord) -> dict[str, Any]:
    """Return an item as the reader's listing has it."""
    fields = attrs.asdict(item, recurse=False)
    receipt = None if item.receipt is None else f"{item.receipt:x}"
    row = {"id": fields.pop("number"), **fields, "receipt": receipt, "item": fields.pop("index")}
    return {name: row[name] for name in COLUMNS}


def _line(row: dict[str, Any]) -> bytes:
    """Return an item as a line of JSON; its payload goes in as it is, so that numbers of any length survive."""
    faults = [
        {**fault, "sentence": explain(fault["code"], fault["pointer"], fault["detail"])}
        for fault in orjson.loads(row["faults"])
    ]
    return orjson.dumps({**row, "faults": faults, "payload": orjson.Fragment(str(row["payload"]))})


def _whole(item: QuarantineRecord) -> dict[str, Any]:
    """Return all that is known of an item."""
    known: dict[str, Any] = json.loads(_line(_row(item)))
    return known if item.raw is None else {**known, "request": rejected.request(item.raw)}
