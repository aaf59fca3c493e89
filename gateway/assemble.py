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

EXPANSION = 16  # what one request becomes may take so many times the body's cap
OVERHEAD = 500  # bytes that a held item takes beside its own


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
        if room < 0:  # many small items, or each with a copy of the batch's large context: not for memory to hold
            raise Refusal(Reason.TOO_LARGE, detail={"limit": EXPANSION * sorting.cap})
        made = examine(item, message_id)
        if isinstance(made, Misfit):
            if made.filtered:
                outcomes.append(Outcome(Verdict.FILTERED, message_id))
            elif unfit is Unfit.REFUSE_ITEM or _refuses(unfit, made):
                refused = refused or unfit is not Unfit.REFUSE_ITEM
                outcomes.append(Outcome(Verdict.INVALID, message_id, made.faults))
                continue
            else:
                outcomes.append(Outcome(Verdict.QUARANTINED, message_id, made.faults))
            held.append(_held(sorting, item, index, message_id, made))
            room -= len(held[-1].payload) + len(held[-1].faults) + OVERHEAD
            continue
        if isinstance(made, WithBlobs):
            blobs += [Blob(hashlib.sha256(blob).hexdigest(), blob) for blob in made.blobs]
            made = made.line
        room -= len(made)
        named = item.message_id
        rows.append(Row(made, key(project, dialect, item.site or site or "", item.kind, named) if named else None))
        outcomes.append(Outcome(Verdict.ACCEPTED, message_id))
    if refused:
        everything = [Outcome(Verdict.INVALID, outcome.message_id, outcome.faults) for outcome in outcomes]
        raise Refusal(Reason.INVALID, outcomes=tuple(everything))
    return Assembled(tuple(outcomes), tuple(rows), tuple(held), tuple(blobs))


def _refuses(unfit: Unfit, misfit: Misfit) -> bool:
    """Return whether one such item refuses its whole request."""
    return unfit is Unfit.REFUSE_ALL or (unfit is Unfit.REFUSE_INVALID and not misfit.unusable)


def stamp(outcomes: tuple[Outcome, ...], seen: tuple[bool, ...]) -> tuple[Outcome, ...]:
    """Return the outcomes with what the store had seen before marked as duplicates: first the rows, then the held."""
    if True not in seen:
        return outcomes
    rows = sum([outcome.verdict is Verdict.ACCEPTED for outcome in outcomes])
    marks, held = iter(seen[:rows]), iter(seen[rows:])
    stamped = []
    for outcome in outcomes:
        known = outcome.verdict is not Verdict.INVALID and next(marks if outcome.verdict is Verdict.ACCEPTED else held)
        stamped.append(attrs.evolve(outcome, verdict=Verdict.DUPLICATE) if known else outcome)
    return tuple(stamped)


def _held(sorting: Sorting, item: Item, index: int, message_id: str, misfit: Misfit) -> Held:
    faults = orjson.dumps([attrs.asdict(fault) for fault in misfit.faults])
    try:
        payload = rewrite(item.payload)
    except RecursionError:  # nested beyond what Python writes: the whole body, as text
        payload = rewrite(sorting.request.body.decode("utf-8", "replace"))
    readable = message_id.encode("utf-8", "backslashreplace").decode()
    named = None
    if item.message_id:
        site = item.site or sorting.principal.site or ""
        named = key(sorting.principal.project, sorting.dialect, site, item.kind, item.message_id)
    verdict = Verdict.FILTERED if misfit.filtered else Verdict.QUARANTINED
    return Held(readable, faults, payload, named, index, verdict.value)
