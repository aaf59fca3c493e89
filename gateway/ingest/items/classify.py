"""One loop over a request's items: each becomes an event, or is quarantined, filtered or rejected. No I/O.

A long loop lets the other tasks of the event loop run in between, and what takes longer than ordinary events, an unfit
item or text to be mended, is done in another thread where the body is large.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence

import attrs

from gateway.dialect import Item, OnInvalid, Submission
from gateway.dialect.decode import may_have_flaws
from gateway.dialect.event import compact_json
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Outcome, Reason, Refusal, Verdict
from gateway.dialect.value_class import value_class
from gateway.ingest.ids import dedupe_scope, key_within
from gateway.ingest.items.event_line import EventLines
from gateway.ingest.items.not_stored import UNEXPLAINED, LineWithFiles, NotStored, Why
from gateway.ingest.kept_requests import payload_json, redacted_items, redacted_outcomes
from gateway.records.redact import Redaction
from gateway.storage.contract import Blob, EventRow, QuarantinedItem

MAX_EXPANSION = 16  # the events and quarantined items of a request may be this many times as large as its body may be
MAX_PAYLOADS = 4096  # bytes of quarantined items' payloads that are kept beside their request
OVERHEAD = 500  # bytes that a quarantined item takes beside its payload and faults
MAX_HOLD = 0.005  # seconds after which the loop lets other tasks run
ITEMS_AT_ONCE = 32  # items between two readings of the clock; it is not read for fewer
MANY_ITEMS = 500  # of which unfit ones are looked at in another thread, like those of a large body
STORED = Verdict.STORED  # looked up once: a member of an enum takes a tenth of a microsecond
LARGE_BODY = 64 * 1024  # bytes from which on it is read after every item: each may have a copy of a large context


@value_class
class Classified:
    """What the items of a request become, as if none of their ids were known.

    `outcomes` has one outcome per item. `rows` are the items that are STORED, `quarantined` those that are QUARANTINED
    or FILTERED. All are in the items' order. `submission` is the given one, with the items and the context as they are
    stored: another object only if text had to be mended.
    """

    outcomes: tuple[Outcome, ...]
    rows: tuple[EventRow, ...]
    quarantined: tuple[QuarantinedItem, ...]
    blobs: tuple[Blob, ...]
    submission: Submission


class ItemClassifier(EventLines):
    """Classifies the items of one request; it is made as EventLines is."""

    _payload_room = MAX_PAYLOADS
    _scope: "hashlib.blake2b | None" = None
    _scope_of: tuple[str, str | None] = "", None

    async def classify(
        self,
        request: Request,
        submission: Submission,
        new_id: Callable[[int], str],
        monotonic: Callable[[], float],
    ) -> Classified:
        """Return what the items of a submission become. Raises Refusal if one of them rejects the whole request.

        `new_id` gives, in any thread, the message id of an item without one, by the item's index. `monotonic` is a
        clock in seconds.
        """
        limit = MAX_EXPANSION * self._installed.dialect.body_cap
        found, items, turn = _Found(limit), submission.items, _Turn(monotonic)
        is_large = len(request.body) >= LARGE_BODY
        at_once, done = 1 if is_large else ITEMS_AT_ONCE, 0
        is_large = is_large or len(items) >= MANY_ITEMS
        is_usual = not (is_large and may_have_flaws(request.body))
        while done < len(items) and is_usual:
            if done and done % at_once == 0:
                await turn.offer()
            item = items[done]
            self._take(found, done, item, item.message_id or new_id(done), request)
            done += 1
            is_usual = not (is_large and found.is_unfit)
        if done < len(items):
            await asyncio.to_thread(self._take_all, found, done, items[done:], new_id, request)
        if found.is_rejected:
            everything = [Outcome(Verdict.REJECTED, outcome.message_id, outcome.faults) for outcome in found.outcomes]
            raise Refusal(Reason.INVALID, outcomes=tuple(everything))
        if found.mended:
            submission = self._as_stored(submission, found.mended)
        outcomes, kept = tuple(found.outcomes), tuple(found.quarantined)
        if found.is_unfit:
            redaction = Redaction.of(request, self._installed.dialect, submission.credentials, self._is_stranger)
            kept = await redacted_items(kept, redaction)
            outcomes = await redacted_outcomes(outcomes, redaction)
        return Classified(outcomes, tuple(found.rows), kept, tuple(found.blobs), submission)

    def _take_all(
        self, found: "_Found", start: int, items: Sequence[Item], new_id: Callable[[int], str], request: Request
    ) -> None:
        """Add what items from an index on become. Raises Refusal."""
        for index, item in enumerate(items, start):
            self._take(found, index, item, item.message_id or new_id(index), request)

    def _take(self, found: "_Found", index: int, item: Item, message_id: str, request: Request) -> None:
        """Add what one item becomes. Raises Refusal if too much is made of the request."""
        if found.limit - found.size < self.wasted:  # very many items, or each has a copy of the large context
            raise Refusal(Reason.TOO_LARGE, detail={"limit": found.limit})
        line = self.event_line(item, message_id)
        if isinstance(line, NotStored):
            self._take_unfit(found, index, item, line, message_id, request)
            return
        if isinstance(line, LineWithFiles):
            found.blobs += line.files
            if line.mended is not None:
                found.mended[index] = line.mended
            line = line.line
        found.size += len(line)
        found.rows.append(EventRow(line, self.dedupe_key(item)))
        found.outcomes.append(Outcome(STORED, message_id))

    def _take_unfit(
        self, found: "_Found", index: int, item: Item, not_stored: NotStored, message_id: str, request: Request
    ) -> None:
        """Add what an item becomes that has no event to store."""
        found.is_unfit = True
        on_invalid = self._route.on_invalid
        outcome = _outcome(not_stored, message_id, on_invalid)
        found.outcomes.append(outcome)
        if outcome.verdict is Verdict.REJECTED:
            found.is_rejected = found.is_rejected or on_invalid is not OnInvalid.REJECT_ITEM
            return
        kept = self._quarantined(item, index, not_stored, outcome, request)
        found.quarantined.append(kept)
        found.size += len(kept.payload) + len(kept.faults) + OVERHEAD

    def _as_stored(self, submission: Submission, mended: Mapping[int, Item]) -> Submission:
        """Return a submission with its mended items, by index, and the context that they share."""
        items = tuple([mended.get(index, item) for index, item in enumerate(submission.items)])
        return attrs.evolve(submission, items=items, context=self.context_as_stored())

    def dedupe_key(self, item: Item) -> bytes | None:
        """Return the item's dedupe key (see ids.py); None if the client sent no id."""
        named = item.kind, item.site
        if self._scope is None or named != self._scope_of:  # mostly all items have the same
            received = self._received
            self._scope = dedupe_scope(received.project, self._installed.dialect.name, received.site, item)
            self._scope_of = named
        return key_within(self._scope, item.message_id)

    def _quarantined(
        self,
        item: Item,
        index: int,
        not_stored: NotStored,
        outcome: Outcome,
        request: Request,
    ) -> QuarantinedItem:
        """Return an item as it is quarantined. The request's secrets are still in it."""
        is_kept = self._payload_room > 0 and not self._is_anonymous
        payload = payload_json(item.payload, request.body) if is_kept else b""
        self._payload_room -= len(payload)
        if self._payload_room < 0:  # `gateway quarantine` reads it from the request
            payload = b""
        faults = not_stored.faults
        return QuarantinedItem(
            message_id=outcome.message_id.encode("utf-8", "backslashreplace").decode(),
            faults=_UNEXPLAINED if faults is UNEXPLAINED else _json(faults),
            payload=payload,
            key=self.dedupe_key(item),
            index=index,
            verdict=outcome.verdict.value,
        )


@attrs.define
class _Found:
    """What has become of the items so far. `size` is about how many bytes that takes, `mended` is by index."""

    limit: int
    outcomes: list[Outcome] = attrs.field(factory=list)
    rows: list[EventRow] = attrs.field(factory=list)
    quarantined: list[QuarantinedItem] = attrs.field(factory=list)
    blobs: list[Blob] = attrs.field(factory=list)
    mended: dict[int, Item] = attrs.field(factory=dict)
    size: int = 0
    is_unfit: bool = False
    is_rejected: bool = False


class _Turn:
    """How long this task has held the event loop, from the first call of `offer` on."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._end: float | None = None

    async def offer(self) -> None:
        """Let the other tasks run if that was MAX_HOLD or longer."""
        if self._end is None:
            self._end = self._monotonic() + MAX_HOLD
        elif self._monotonic() >= self._end:
            await asyncio.sleep(0)
            self._end = self._monotonic() + MAX_HOLD


def _json(faults: tuple[Fault, ...]) -> bytes:
    return compact_json([attrs.asdict(fault) for fault in faults])


_UNEXPLAINED = _json(UNEXPLAINED)


def _outcome(not_stored: NotStored, message_id: str, on_invalid: OnInvalid) -> Outcome:
    """Return the outcome of an item that does not become an event, by the rule of its route."""
    if not_stored.why is Why.FILTERED:
        return Outcome(Verdict.FILTERED, message_id)
    is_kept = (
        on_invalid is OnInvalid.QUARANTINE
        or not_stored.why is Why.DIALECT_BUG
        or (on_invalid is OnInvalid.QUARANTINE_UNTRANSLATABLE and not_stored.why is Why.UNTRANSLATABLE)
    )
    return Outcome(Verdict.QUARANTINED if is_kept else Verdict.REJECTED, message_id, not_stored.faults)
