"""`gateway events retranslate`: translate kept requests again, and rewrite the events that came of them."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.names import check_project
from gateway.cli.options import config_option, project_option, store_option
from gateway.cli.output.streams import must_be_read, settle
from gateway.config import load
from gateway.ingest.registry import installed_by_name
from gateway.operate.events.json_diff import json_diff
from gateway.operate.events.restored import restored
from gateway.operate.explain import explain
from gateway.operate.held.replay import Replay
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.read import Position
from gateway.storage.records import RawEvents, Records
from gateway.storage.store import Store

BATCH = 500
"""Changes are written as soon as there are this many."""


@click.command(short_help="Translate kept requests again.")
@store_option
@project_option
@config_option
@click.option("--dry-run", is_flag=True, help="Only show what would change; a server may be running.")
async def retranslate(store: Store, project: str | None, config: Path | None, dry_run: bool) -> None:
    """Translate kept requests again with the installed dialects, and rewrite the events that differ.

    Requests are kept if `keep_raw_days` in `[storage]` is above 0. Prints the changes of each event, field by field. An
    event keeps its position and its id. An event whose request is not valid any more stays as it is.
    """
    settings = load(config)
    replayer = Replay(installed_by_name(settings.switches), settings.keep_ip, settings.asked)
    looked_at = changed = 0
    changes: list[tuple[Position, bytes, bytes]] = []
    nothing = contextlib.nullcontext()
    async with store.records() as records:
        await check_project(project, store, config)
        with (
            nothing if dry_run or store.directory is None else store.directory.lock(),
            nothing if dry_run else must_be_read("only the changes before were made"),
        ):
            async for kept in records.raw_events(project):
                looked_at += len(kept.events)
                for position, old, new in _changed(replayer, kept):
                    changed += 1
                    changes.append((position, old, new))
                if len(changes) >= BATCH:
                    await _write(records, changes, dry_run)
                    changes = []
            await _write(records, changes, dry_run)
    click.echo(f"{looked_at} events looked at, {changed} {'would change' if dry_run else 'rewritten'}", err=True)


def _changed(replayer: Replay, kept: RawEvents) -> Iterator[tuple[Position, bytes, bytes]]:
    """Print the changes of each event that differs, and yield its position, its old line and its new line."""
    for index, (position, old) in kept.events.items():
        stored = json.loads(old)
        run = replayer.rerun(
            QuarantineRecord(
                number=0,
                message_id=str(stored["message_id"]),
                received_at=kept.received_at,
                project=kept.project,
                dialect=kept.dialect,
                route=kept.route,
                verdict="stored",
                index=index,
                receipt=kept.receipt,
                faults="[]",
                payload="null",
                raw=kept.raw,
            )
        )
        event: dict[str, object] = {"position": position, "message_id": stored["message_id"]}
        if run.row is None:
            why = [explain(each.code, each.pointer, each.detail) for each in run.faults]
            click.echo(json.dumps({**event, "unfit_today": why}))
            continue
        today = restored(run.row.body, old)
        if today != old and (found := list(json_diff(stored, json.loads(today)))):
            click.echo(json.dumps({**event, "changes": found}))
            yield position, old, today


async def _write(records: Records, changes: list[tuple[Position, bytes, bytes]], dry_run: bool) -> None:
    if changes and not dry_run:
        settle()  # the changes are printed before they are made
        await records.rewrite(changes)
