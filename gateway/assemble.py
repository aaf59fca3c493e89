"""Examined items to what the store is asked to keep of them, and the outcomes that follow. Pure."""

import hashlib
from collections.abc import Sequence

import attrs
import orjson

from gateway.auth import Principal
from gateway.decode import rewrite
from gateway.dialect import Item, Unfit
from gateway.examine import Draft
from gateway.ids import digest
from gateway.message import Request
from gateway.outcome import Outcome, Reason, Refusal, Verdict
from gateway.storage.base import Blob, Held, Row


@attrs.frozen
class Assembled:
    """One submission's part of a commit, and its outcomes as they are if nothing of it was seen before."""

    outcomes: tuple[Outcome, ...]
    rows: tuple[Row, ...]
    held: tuple[Held, ...]
    blobs: tuple[Blob, ...]


def assemble(
    dialect: str, principal: Principal, unfit: Unfit, request: Request, items: Sequence[Item], drafts: Sequence[Draft]
) -> Assembled:
    """Return what to commit of the items. Raises Refusal where one of them refuses its whole request."""
    outcomes: list[Outcome] = []
    rows: list[Row] = []
    held: list[Held] = []
    blobs: list[Blob] = []
    for item, draft in zip(items, drafts, strict=True):
        if draft.line is not None:
            rows.append(Row(draft.line, _key(dialect, principal, item) if item.message_id else None))
            outcomes.append(Outcome(Verdict.ACCEPTED, draft.message_id))
            for blob in draft.blobs:
                blobs.append(Blob(hashlib.sha256(blob).hexdigest(), blob))
        elif unfit is Unfit.REFUSE_ALL or (unfit is Unfit.REFUSE_INVALID and not draft.unusable):
            refused = tuple(Outcome(Verdict.INVALID, each.message_id, each.faults) for each in drafts)
            raise Refusal(Reason.INVALID, outcomes=refused)
        elif unfit is Unfit.REFUSE_ITEM:
            outcomes.append(Outcome(Verdict.INVALID, draft.message_id, draft.faults))
        else:
            held.append(_held(request, item, draft))
            outcomes.append(Outcome(Verdict.QUARANTINED, draft.message_id, draft.faults))
    return Assembled(tuple(outcomes), tuple(rows), tuple(held), tuple(blobs))


def stamp(outcomes: tuple[Outcome, ...], seen: tuple[bool, ...]) -> tuple[Outcome, ...]:
    """Return the outcomes with the rows that the store had seen before marked as duplicates."""
    if True not in seen:
        return outcomes
    marks = iter(seen)
    return tuple(
        attrs.evolve(outcome, verdict=Verdict.DUPLICATE)
        if outcome.verdict is Verdict.ACCEPTED and next(marks)
        else outcome
        for outcome in outcomes
    )


def _key(dialect: str, principal: Principal, item: Item) -> bytes:
    """Return the digest of a client's id in its scope: (project, dialect, site where there is one, item kind)."""
    site = item.site or principal.site or ""
    return digest(principal.project, dialect, site, item.kind, item.message_id or "")


def _held(request: Request, item: Item, draft: Draft) -> Held:
    faults = orjson.dumps([attrs.asdict(fault) for fault in draft.faults])
    try:
        payload = rewrite(item.payload)
    except RecursionError:  # nested beyond what Python writes: the whole body, as text
        payload = rewrite(request.body.decode("utf-8", "replace"))
    readable = draft.message_id.encode("utf-8", "backslashreplace").decode()
    return Held(readable, faults, payload)
