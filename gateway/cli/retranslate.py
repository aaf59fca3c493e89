"""`gateway events retranslate`: kept requests through today's dialects, over the events that came of them."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.options import config_option, data_option, log_of, project_option
from gateway.config import load
from gateway.datadir import DataDir
from gateway.ingest.registry import installed_by_name
from gateway.operate.explain import explain
from gateway.operate.json_diff import json_diff
from gateway.operate.replay import Replay
from gateway.storage.sqlite.read.log import Reader
from gateway.storage.sqlite.read.quarantine import QuarantineRecord
from gateway.storage.sqlite.read.raw_requests import KeptRequest, kept_requests, rewrite

AT_ONCE = 500


@click.command()
@data_option
@project_option
@config_option
@click.option("--dry-run", is_flag=True, help="Only show what would change; a server may run meanwhile.")
def retranslate(data: Path | None, project: str | None, config: Path | None, dry_run: bool) -> None:
    """Translate the requests again that `[storage] keep_raw_days` keeps, and rewrite their events where they differ.

    Prints each event that differs, field by field. An event keeps its position and its id; one of which today's
    dialect would make nothing stays as it is.
    """
    settings, directory = load(config, {"data": data}), log_of(data)
    replayer = Replay(installed_by_name(settings.switches), settings.keep_ip)
    looked = changed = 0
    changes: list[tuple[int, bytes, bytes]] = []
    with contextlib.nullcontext() if dry_run else directory.lock(), Reader(directory) as reader:
        for kept in kept_requests(reader, project):
            looked += len(kept.events)
            for position, old, new in _changed(replayer, kept):
                changed += 1
                changes.append((position, old, new))
            if len(changes) >= AT_ONCE:
                _write(directory, changes, dry_run)
                changes = []
        _write(directory, changes, dry_run)
    click.echo(f"{looked} events looked at, {changed} {'would change' if dry_run else 'rewritten'}", err=True)


def _changed(replayer: Replay, kept: KeptRequest) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the position, the old and the new line of each event that differs, and print how."""
    for index, (position, old) in kept.events.items():
        stored = json.loads(old)
        head = (0, str(stored["message_id"]), kept.received_at, kept.project, kept.dialect, kept.route)
        run = replayer.rerun(QuarantineRecord(*head, "stored", index, kept.receipt, "[]", "null", kept.raw))
        told: dict[str, object] = {"position": position, "message_id": stored["message_id"]}
        if run.row is None:
            why = [explain(each.code, each.pointer, each.detail) for each in run.faults]
            click.echo(json.dumps({**told, "unfit_today": why}))
        elif run.row.body != old and (found := list(json_diff(stored, json.loads(run.row.body)))):
            click.echo(json.dumps({**told, "changes": found}))
            yield position, old, run.row.body


def _write(directory: DataDir, changes: list[tuple[int, bytes, bytes]], dry_run: bool) -> None:
    if changes and not dry_run:
        rewrite(directory.events, changes)
