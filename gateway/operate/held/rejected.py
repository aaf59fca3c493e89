"""Replaying rejected requests, into the project that they are booked to or into one that is named for a stranger's."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import attrs

from gateway.dialect import Item, Refusal, Route, Submission
from gateway.ingest.ids import dedupe_key, derived
from gateway.ingest.registry import Installed
from gateway.operate.explain import explain
from gateway.operate.held.kept_json import UNREADABLE
from gateway.operate.held.replay import Replay, Rerun, request_of
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Appended, Entry, EventRow
from gateway.storage.held.record import as_quarantined
from gateway.storage.records import Records

Append = Callable[[Entry], Awaitable[Appended]]
"""Returns once an entry is on disk."""
NOBODYS = "its project is unknown: nothing in it was a known credential; choose one"


@attrs.frozen
class RequestReplayed:
    """How the replay of one rejected request ended.

    With a `problem` nothing of it was tried; `is_nobodys` says that it needs a project. `failed` has the items that are
    still invalid, as `(index, why)`. `adopted_by` is the project that a stranger's request went to.
    """

    problem: str | None = None
    is_nobodys: bool = False
    stored: int = 0
    duplicate: int = 0
    failed: Sequence[tuple[int, str]] = ()
    adopted_by: str | None = None

    @property
    def summary(self) -> str:
        """The problem, or the totals: `2 stored, 0 already stored, 0 failed again, in project shop`."""
        if self.problem is not None:
            return self.problem
        counts = f"{self.stored} stored, {self.duplicate} already stored, {len(self.failed)} failed again"
        return counts if self.adopted_by is None else f"{counts}, in project {self.adopted_by}"


@attrs.frozen
class RequestReplay:
    """Replays rejected requests with the installed dialects.

    A request goes to the project that it is booked to; only one that belongs to no project goes to one that is named.
    If the client has sent a request again meanwhile, items with the client's own ids are stored once, the others twice.
    """

    records: Records
    append: Append
    installed: Mapping[str, Installed]
    replayer: Replay

    async def run(self, known: dict[str, Any], raw: RawRequest, project: str | None = None) -> RequestReplayed:
        """Store the items of a request that are valid now. Raises what `append` raises, and StoreError."""
        problem = _problem(known, project)
        if problem is not None:
            return RequestReplayed(problem=problem, is_nobodys=problem == NOBODYS)
        installed = self.installed.get(known["dialect"])
        route = None if installed is None else installed.route(known["route"])
        if installed is None or route is None:
            return RequestReplayed(problem=explain("no_such_route"))
        parsed = _parsed(route, raw, known["received_at"])
        if isinstance(parsed, str):
            return RequestReplayed(problem=parsed)
        adopted_by = project if known["project"] is None else None
        if adopted_by is not None:
            # As if its credentials had been good then, so that a retry by the client is known again.
            known = {**known, "project": adopted_by}
            raw = attrs.evolve(raw, site=_site(parsed, installed))
        return await self._store(known, raw, len(parsed.items), adopted_by)

    async def _store(
        self, known: dict[str, Any], raw: RawRequest, items: int, adopted_by: str | None
    ) -> RequestReplayed:
        runs = [_rerun(self.replayer, known, raw, index) for index in range(items)]
        rows = tuple(run.row for run in runs if run.row is not None)
        blobs = tuple(blob for run in runs for blob in run.blobs)
        stored = 0
        if rows:
            head = (known["project"], known["dialect"], known["route"], known["received_at"])
            stored = len(rows) - len((await self.append(Entry(*head, rows, blobs=blobs))).duplicates)
        failed = [(index, _why(run)) for index, run in enumerate(runs) if run.row is None]
        done = RequestReplayed(stored=stored, duplicate=len(rows) - stored, failed=failed, adopted_by=adopted_by)
        if not failed and rows:
            await self.records.mark_rejected(known["id"], done.summary)
        return done


def _problem(known: dict[str, Any], project: str | None) -> str | None:
    if known["replayed"]:
        return f"already replayed: {known['replayed']}"
    if known["route"] is None:
        return "it was rejected before its route was known"
    if known["project"] is None and project is None:
        return NOBODYS
    if known["project"] is not None and project not in (None, known["project"]):
        return f"it belongs to project {known['project']}, not to {project}"
    if known["cut"]:
        return "its body was cut when it was kept, or left out for its client's privacy"
    return None


def _parsed(route: Route, raw: RawRequest, received_at: int) -> Submission | str:
    """Return what the request hands in, or why nothing of it can be stored."""
    try:
        return route.parse(request_of(raw, received_at))
    except Refusal as refusal:
        return f"it would be rejected again: {refusal.reason.value}"
    except ValueError:
        return UNREADABLE


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
