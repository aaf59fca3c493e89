"""Examined items to what the store is asked to keep of them, and the outcomes that follow. Pure."""

import hashlib
from collections.abc import Callable, Sequence

import attrs
import orjson

from gateway.auth import Principal
from gateway.decode import rewrite
from gateway.dialect import Item, Unfit
from gateway.examine import Examined, Misfit, WithBlobs
from gateway.ids import key
from gateway.message import Request
from gateway.outcome import Outcome, Reason, Refusal, Verdict
from gateway.record import record
from gateway.storage.base import Blob, Held, Row

EXPANSION = 16  # the canonical lines of one request may be so many times the body's cap


@record
class Assembled:
    """One submission's part of a commit, and its outcomes as they are if nothing of it was seen before."""

    outcomes: tuple[Outcome, ...]
    rows: tuple[Row, ...]
    held: tuple[Held, ...]
    blobs: tuple[Blob, ...]


@record
class Sorting:
    """What assembling must know of a request beyond its items.

    `name` gives the message id of an item that brought none, by its index; `cap` is the body's, in bytes.
    """

    request: Request
    principal: Principal
    dialect: str
    unfit: Unfit
    cap: int
    name: Callable[[int], str]


def assemble(sorting: Sorting, items: Sequence[Item], examine: Callable[[Item, str], Examined]) -> Assembled:
    """Return what to commit of the items. Raises Refusal where one of them refuses its whole request."""
    outcomes: list[Outcome] = []
    rows: list[Row] = []
    held: list[Held] = []
    blobs: list[Blob] = []
    dialect, unfit = sorting.dialect, sorting.unfit
    project, site = sorting.principal.project, sorting.principal.site
    room, refused = EXPANSION * sorting.cap, False
    for index, item in enumerate(items):
        message_id = item.message_id or sorting.name(index)
        made = examine(item, message_id)
        if isinstance(made, Misfit):
            if unfit is Unfit.REFUSE_ALL or (unfit is Unfit.REFUSE_INVALID and not made.unusable):
                refused = True
            if refused or unfit is Unfit.REFUSE_ITEM:
                outcomes.append(Outcome(Verdict.INVALID, message_id, made.faults))
            else:
                held.append(_held(sorting.request, item, message_id, made))
                outcomes.append(Outcome(Verdict.QUARANTINED, message_id, made.faults))
            continue
        if isinstance(made, WithBlobs):
            blobs += [Blob(hashlib.sha256(blob).hexdigest(), blob) for blob in made.blobs]
            made = made.line
        room -= len(made)
        if room < 0:  # small items that each carry the batch's large context: not for memory to hold
            raise Refusal(Reason.TOO_LARGE, detail={"limit": EXPANSION * sorting.cap})
        named = item.message_id
        rows.append(Row(made, key(project, dialect, item.site or site or "", item.kind, named) if named else None))
        outcomes.append(Outcome(Verdict.ACCEPTED, message_id))
    if refused:
        everything = [Outcome(Verdict.INVALID, outcome.message_id, outcome.faults) for outcome in outcomes]
        raise Refusal(Reason.INVALID, outcomes=tuple(everything))
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


def _held(request: Request, item: Item, message_id: str, misfit: Misfit) -> Held:
    faults = orjson.dumps([attrs.asdict(fault) for fault in misfit.faults])
    try:
        payload = rewrite(item.payload)
    except RecursionError:  # nested beyond what Python writes: the whole body, as text
        payload = rewrite(request.body.decode("utf-8", "replace"))
    readable = message_id.encode("utf-8", "backslashreplace").decode()
    return Held(readable, faults, payload)
