"""`gateway quarantine ... --rejected`: inspect and replay the requests that were answered with an error."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import attrs
import click
import orjson

from gateway.cli.log_access import keep, open_log
from gateway.config import Config
from gateway.dialect import Item, Refusal, Submission
from gateway.ingest.ids import dedupe_key, derived
from gateway.ingest.registry import Installed, installed_by_name
from gateway.operate.explain import explain
from gateway.operate.kept_json import UNREADABLE, explained, json_or_text, unreadable
from gateway.operate.replay import Replay, Rerun, request_of
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Entry, EventRow
from gateway.storage.records import Records, as_quarantined
from gateway.storage.store import Store


def line(row: dict[str, Any]) -> bytes:
    """Return a rejected request as a line of JSON; one that cannot be read says so under `unreadable`."""
    try:
        return orjson.dumps({**row, "faults": explained(row["faults"])})
    except (ValueError, TypeError) as error:
        return unreadable(row, error)


def request(raw: RawRequest) -> dict[str, Any]:
    """Return a kept request for people to read: `method`, `path`, `query`, `headers`, `client_ip` and the body.

    The body is text under `body`, or base64 under `body_base64` if it is not UTF-8. A damaged query is text too.
    """
    try:
        body = {"body": raw.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(raw.body).decode()}
    return {
        "method": raw.method,
        "path": raw.path,
        "query": json_or_text(raw.query),
        "headers": json_or_text(raw.headers),
        "client_ip": raw.client_ip,
        **body,
    }


async def one(records: Records, number: int) -> tuple[dict[str, Any], RawRequest]:
    """Return one rejected request. Raises ClickException if there is none of that id."""
    found = await records.rejected_request(number)
    if found is None:
        raise click.ClickException(f"there is no rejected request {number}; see `gateway quarantine list --rejected`")
    return found


async def shown(records: Records, number: int) -> str:
    """Return everything known about one rejected request, as indented JSON."""
    known, raw = await one(records, number)
    return json.dumps({**json.loads(line(known)), "request": request(raw)}, indent=2)


async def replay(
    store: Store, records: Records, settings: Config, numbers: Sequence[int], project: str | None = None
) -> None:
    """Store the items of rejected requests that are valid now, and print a result for each request.

    A request goes to the project that it is booked to; only one that belongs to no project goes to `project`.
    If the client has sent a request again meanwhile, items with the client's own ids are stored once, the others twice.
    """
    installed = installed_by_name(settings.switches)
    replayer = Replay(installed, settings.keep_ip)
    for number in numbers:
        known, raw = await one(records, number)
        problem = _problem(known, project)
        dialect = installed.get(known["dialect"])
        route = None if dialect is None else dialect.route(known["route"])
        if problem is not None or route is None:
            click.echo(f"{number}: {problem or explain('no_such_route')}")
            continue
        try:
            submission = route.parse(request_of(raw, known["received_at"]))
        except (ValueError, Refusal) as error:
            why = f"it would be rejected again: {error.reason.value}" if isinstance(error, Refusal) else UNREADABLE
            click.echo(f"{number}: {why}")
            continue
        items = submission.items
        adopted = known["project"] is None
        if adopted:
            # As if its credentials had been good then, so that a retry by the client is known again.
            known = {**known, "project": project}
            raw = attrs.evolve(raw, site=_site(submission, installed[known["dialect"]]))
        runs = [_rerun(replayer, known, raw, index) for index in range(len(items))]
        rows = tuple(run.row for run in runs if run.row is not None)
        blobs = tuple(blob for run in runs for blob in run.blobs)
        failed = [f"{number}: item {index}: {_why(run)}" for index, run in enumerate(runs) if run.row is None]
        entry = Entry(known["project"], known["dialect"], known["route"], known["received_at"], rows, blobs=blobs)
        stored = await _append(store, settings, entry) if rows else 0
        said = f"{stored} stored, {len(rows) - stored} already stored, {len(failed)} failed again"
        if adopted:
            said = f"{said}, in project {project}"
        if not failed and rows:
            await records.mark_rejected(number, said)
        click.echo("\n".join([f"{number}: {said}", *failed]))


def _problem(known: dict[str, Any], project: str | None) -> str | None:
    if known["replayed"]:
        return f"already replayed: {known['replayed']}"
    if known["route"] is None:
        return "it was rejected before its route was known"
    if known["project"] is None and project is None:
        return "its project is unknown: nothing in it was a known credential; choose one with --project"
    if known["project"] is not None and project not in (None, known["project"]):
        return f"it belongs to project {known['project']}, not to {project}"
    if known["cut"]:
        return "its body was cut when it was kept"
    return None


def _site(submission: Submission, installed: Installed) -> str | None:
    """Return the site that a request names as a credential."""
    return next((each.value for each in submission.credentials if installed.kinds[each.kind].is_site), None)


def _rerun(replayer: Replay, known: dict[str, Any], raw: RawRequest, index: int) -> Rerun:
    """Translate one item again. An item without an id of the client's gets one that every replay derives again."""
    made = derived("refused", str(known["id"]), str(known["received_at"]), str(index))
    run = replayer.rerun(as_quarantined(known, raw, index, made))
    if run.row is None or run.row.key is not None:
        return run
    key = dedupe_key(
        known["project"], known["dialect"], None, Item("refused", schema="", payload=None, message_id=made)
    )
    return Rerun(EventRow(run.row.body, key), run.blobs)


def _why(run: Rerun) -> str:
    return "; ".join(explain(each.code, each.pointer, each.detail) for each in run.faults[:3])


async def _append(store: Store, settings: Config, entry: Entry) -> int:
    async with open_log(store, settings) as log:
        appended = await keep(log, entry)
    return len(entry.rows) - len(appended.duplicates)
