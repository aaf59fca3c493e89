"""`gateway quarantine ... --rejected`: inspect and replay the requests that were answered with an error."""

import json
from collections.abc import Sequence
from typing import Any

import click

from gateway.cli.log_access import keep, open_log
from gateway.config import Config
from gateway.ingest.registry import installed_by_name
from gateway.operate.held.rejected import RequestReplay
from gateway.operate.held.replay import Replay
from gateway.operate.held.shown import whole_rejected
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Appended, Entry
from gateway.storage.records import Records
from gateway.storage.store import Store


async def one(records: Records, number: int) -> tuple[dict[str, Any], RawRequest]:
    """Return one rejected request. Raises ClickException if there is none of that id."""
    found = await records.rejected_request(number)
    if found is None:
        raise click.ClickException(f"there is no rejected request {number}; see `gateway quarantine list --rejected`")
    return found


async def shown(records: Records, number: int) -> str:
    """Return everything known about one rejected request, as indented JSON."""
    return json.dumps(whole_rejected(*await one(records, number)), indent=2)


async def replay(
    store: Store, records: Records, settings: Config, numbers: Sequence[int], project: str | None = None
) -> None:
    """Store the items of rejected requests that are valid now, and print a result for each request.

    A request goes to the project that it is booked to; only one that belongs to no project goes to `project`.
    """

    async def append(entry: Entry) -> Appended:
        async with open_log(store, settings) as log:
            return await keep(log, entry)

    installed = installed_by_name(settings.switches)
    requests = RequestReplay(records, append, installed, Replay(installed, settings.keep_ip, settings.asked))
    for number in numbers:
        done = await requests.run(*await one(records, number), project)
        hint = " with --project" if done.is_nobodys else ""
        failed = [f"{number}: item {index}: {why}" for index, why in done.failed]
        click.echo("\n".join([f"{number}: {done.summary}{hint}", *failed]))
