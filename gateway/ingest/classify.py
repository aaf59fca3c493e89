"""Examined items to what the store is asked to keep of them, and the outcomes that follow. Pure."""

import hashlib
from collections.abc import Callable, Sequence

import attrs
import orjson

from gateway.dialect.contract import Item, OnInvalid
from gateway.dialect.decode import rewrite
from gateway.dialect.message import Request
from gateway.dialect.outcome import Outcome, Reason, Refusal, Verdict
from gateway.dialect.value_class import value_class
from gateway.ingest.examine import Examined, LineWithFiles, NotStored, Why
from gateway.ingest.ids import dedupe_key
from gateway.keys.keyring import Principal
from gateway.storage.contract import Blob, EventRow, QuarantinedItem

EXPANSION = 16  # what one request becomes may take this many times the body's cap
OVERHEAD = 500  # bytes that a quarantined item takes beside its payload and faults


@value_class
class Classified:
    """One submission's part of a commit, and its outcomes as they are if nothing of it was seen before."""

    outcomes: tuple[Outcome, ...]
    rows: tuple[EventRow, ...]
    quarantined: tuple[QuarantinedItem, ...]
    blobs: tuple[Blob, ...]


@value_class
class ItemContext:
    """What must be known of a request beyond its items.

    `name` gives the message id of an item that brought none, by its index; `body_cap` is in bytes.
    """

    request: Request
    principal: Principal
    dialect: str
    on_invalid: OnInvalid
    body_cap: int
    name: Callable[[int], str]


def classify_items(context: ItemContext, items: Sequence[Item], examine: Callable[[Item, str], Examined]) -> Classified:
    """Return what to commit of the items. Raises Refusal where one of them rejects its whole request."""
    outcomes: list[Outcome] = []
    rows: list[EventRow] = []
    quarantined: list[QuarantinedItem] = []
    blobs: list[Blob] = []
    dialect, on_invalid = context.dialect, context.on_invalid
    project, site = context.principal.project, context.principal.site
    room, is_rejected = EXPANSION * context.body_cap, False
    for index, item in enumerate(items):
        message_id = item.message_id or context.name(index)
        if room < 0:  # many small items, or each with a copy of the batch's large context
            raise Refusal(Reason.TOO_LARGE, detail={"limit": EXPANSION * context.body_cap})
        examined = examine(item, message_id)
        if isinstance(examined, NotStored):
            if examined.why is Why.FILTERED:
                outcomes.append(Outcome(Verdict.FILTERED, message_id))
            elif on_invalid is OnInvalid.REJECT_ITEM or _rejects_request(on_invalid, examined):
                is_rejected = is_rejected or on_invalid is not OnInvalid.REJECT_ITEM
                outcomes.append(Outcome(Verdict.REJECTED, message_id, examined.faults))
                continue
            else:
                outcomes.append(Outcome(Verdict.QUARANTINED, message_id, examined.faults))
            quarantined.append(_quarantined(context, item, index, message_id, examined))
            room -= len(quarantined[-1].payload) + len(quarantined[-1].faults) + OVERHEAD
            continue
        if isinstance(examined, LineWithFiles):
            blobs += [Blob(hashlib.sha256(content).hexdigest(), content) for content in examined.files]
            examined = examined.line
        room -= len(examined)
        rows.append(EventRow(examined, dedupe_key(project, dialect, item.site or site, item.kind, item.message_id)))
        outcomes.append(Outcome(Verdict.STORED, message_id))
    if is_rejected:
        everything = [Outcome(Verdict.REJECTED, outcome.message_id, outcome.faults) for outcome in outcomes]
        raise Refusal(Reason.INVALID, outcomes=tuple(everything))
    return Classified(tuple(outcomes), tuple(rows), tuple(quarantined), tuple(blobs))


def _rejects_request(on_invalid: OnInvalid, item: NotStored) -> bool:
    """Return whether one such item rejects its whole request."""
    if on_invalid is OnInvalid.QUARANTINE_UNTRANSLATABLE:
        return item.why is Why.INVALID
    return on_invalid is OnInvalid.REJECT_REQUEST


def mark_duplicates(outcomes: tuple[Outcome, ...], seen: tuple[bool, ...]) -> tuple[Outcome, ...]:
    """Return the outcomes with what the store had seen before as DUPLICATE.

    `seen` has a value for each stored item, in their order, then for each quarantined or filtered one.
    """
    if True not in seen:
        return outcomes
    stored = sum([outcome.verdict is Verdict.STORED for outcome in outcomes])
    of_stored, of_quarantined = iter(seen[:stored]), iter(seen[stored:])
    marked = []
    for outcome in outcomes:
        is_known = outcome.verdict is not Verdict.REJECTED and next(
            of_stored if outcome.verdict is Verdict.STORED else of_quarantined
        )
        marked.append(attrs.evolve(outcome, verdict=Verdict.DUPLICATE) if is_known else outcome)
    return tuple(marked)


def _quarantined(context: ItemContext, item: Item, index: int, message_id: str, why: NotStored) -> QuarantinedItem:
    try:
        payload = rewrite(item.payload)
    except RecursionError:  # nested beyond what Python writes: the whole body, as text
        payload = rewrite(context.request.body.decode("utf-8", "replace"))
    principal = context.principal
    return QuarantinedItem(
        message_id=message_id.encode("utf-8", "backslashreplace").decode(),
        faults=orjson.dumps([attrs.asdict(fault) for fault in why.faults]),
        payload=payload,
        key=dedupe_key(principal.project, context.dialect, item.site or principal.site, item.kind, item.message_id),
        index=index,
        verdict=(Verdict.FILTERED if why.why is Why.FILTERED else Verdict.QUARANTINED).value,
    )
