"""`gateway events retranslate`: translate kept requests again, and rewrite the events that came of them."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.names import check_project
from gateway.cli.options import config_option, data_option, log_of, project_option
from gateway.cli.output.streams import must_be_read, settle
from gateway.config import load
from gateway.datadir import DataDir
from gateway.ingest.registry import installed_by_name
from gateway.operate.explain import explain
from gateway.operate.json_diff import json_diff
from gateway.operate.replay import Replay
from gateway.operate.restored import restored
from gateway.storage.sqlite.read.quarantine import QuarantineRecord
from gateway.storage.sqlite.read.raw_requests import KeptRequest, kept_requests, rewrite
from gateway.storage.sqlite.read.reader import Reader

BATCH = 500
"""Changes are written as soon as there are this many."""


@click.command(short_help="Translate kept requests again.")
@data_option
@project_option
@config_option
@click.option("--dry-run", is_flag=True, help="Only show what would change; a server may be running.")
def retranslate(data: Path | None, project: str | None, config: Path | None, dry_run: bool) -> None:
    """Translate kept requests again with the installed dialects, and rewrite the events that differ.

    Requests are kept if `keep_raw_days` in `[storage]` is above 0. Prints the changes of each event, field by field. An
    event keeps its position and its id. An event whose request is not valid any more stays as it is.
    """
    settings, directory = load(config, {"data": data}), log_of(data)
    check_project(project, directory, config)
    replayer = Replay(installed_by_name(settings.switches), settings.keep_ip)
    looked_at = changed = 0
    changes: list[tuple[int, bytes, bytes]] = []
    nothing = contextlib.nullcontext()
    with (
        nothing if dry_run else directory.lock(),
        nothing if dry_run else must_be_read("only the changes before were made"),
        Reader(directory) as reader,
    ):
        for kept in kept_requests(reader, project):
            looked_at += len(kept.events)
            for position, old, new in _changed(replayer, kept):
                changed += 1
                changes.append((position, old, new))
            if len(changes) >= BATCH:
                _write(directory, changes, dry_run)
                changes = []
        _write(directory, changes, dry_run)
    click.echo(f"{looked_at} events looked at, {changed} {'would change' if dry_run else 'rewritten'}", err=True)


def _changed(replayer: Replay, kept: KeptRequest) -> Iterator[tuple[int, bytes, bytes]]:
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


def _write(directory: DataDir, changes: list[tuple[int, bytes, bytes]], dry_run: bool) -> None:
    if changes and not dry_run:
        settle()  # the changes are printed before they are made
        rewrite(directory.events, changes)
