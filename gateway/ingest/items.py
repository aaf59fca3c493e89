"""One loop over a request's items: each is checked, translated and classified. No I/O.

A long loop lets the other tasks of the event loop run in between.
"""

import asyncio
import enum
import hashlib
from collections.abc import Callable, Iterator, Mapping

import attrs

from gateway.dialect import EventWithFiles, Item, OnInvalid, Received, Route, Submission
from gateway.dialect.decode import flaws, rewrite
from gateway.dialect.event import IDENTIFIERS, Event, compact_json, encode, stamped
from gateway.dialect.flaws import is_whole
from gateway.dialect.mend import mend
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Outcome, Reason, Refusal, Verdict
from gateway.dialect.value_class import value_class
from gateway.ingest import mending
from gateway.ingest.ids import dedupe_key
from gateway.ingest.registry import Installed
from gateway.ingest.schema import MAX_FAULTS
from gateway.records import redact
from gateway.records.redact import KeepIp
from gateway.storage.contract import Blob, EventRow, QuarantinedItem

MAX_EXPANSION = 16  # the events and quarantined items of a request may be this many times as large as its body may be
OVERHEAD = 500  # bytes that a quarantined item takes beside its payload and faults
MAX_HOLD = 0.005  # seconds after which the loop lets other tasks run
ITEMS_AT_ONCE = 32  # items between two readings of the clock; it is not read for fewer
LARGE_BODY = 64 * 1024  # bytes from which on it is read after every item: each may have a copy of a large context

IsBot = Callable[[str], bool]
"""Returns whether a user agent is a known bot's."""

UNEXPLAINED = (Fault("invalid"),)
"""The faults of an invalid item once a request's budget of explanations (MAX_FAULTS) is spent."""


class Why(enum.Enum):
    """Why no event is stored for an item."""

    INVALID = "invalid"  # it does not meet its schema, or contains what cannot be stored
    UNTRANSLATABLE = "untranslatable"  # it is valid, but its dialect returned a fault
    FILTERED = "filtered"  # it is an event that the operator does not want
    DIALECT_BUG = "dialect_bug"  # what its dialect returned is not a canonical event


@value_class
class NotStored:
    """The answer of `event_line` for an item that does not become an event."""

    faults: tuple[Fault, ...]
    why: Why = Why.INVALID


@value_class
class LineWithFiles:
    """An event as its canonical line, with the files that came with it, and its item if text in it was mended."""

    line: bytes
    files: tuple[Blob, ...] = ()
    mended: Item | None = None


EventLine = bytes | LineWithFiles
"""Mostly the bare line: an object around it would cost a third of a microsecond for each event."""

KNOWN_BOT = NotStored((Fault("known_bot", "/context/user_agent"),), Why.FILTERED)


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


class ItemClassifier:
    """Classifies the items of one request; explains no more than MAX_FAULTS faults of them all.

    `keep_ip` shortens addresses, if the project does not keep them whole; `is_bot` is given if it filters bots.
    `on_bug` is called with a fault of each event that does not meet the canonical schema. Items that name one of
    `refused_sites` are invalid. `user_agent` is the request's, for events without the visitor's own.
    """

    def __init__(
        self,
        installed: Installed,
        route: Route,
        received: Received,
        keep_ip: KeepIp | None = None,
        is_bot: IsBot | None = None,
        on_bug: Callable[[Fault], None] = lambda _fault: None,
        refused_sites: frozenset[str] = frozenset(),
        user_agent: str = "",
    ) -> None:
        self._installed = installed
        self._route = route
        self._received = received
        self._keep_ip = keep_ip
        self._is_bot = is_bot
        self._on_bug = on_bug
        self._refused_sites = refused_sites
        self._user_agent = user_agent
        self._schemas = installed.schemas
        self._translate = route.translate
        self._faults_left = MAX_FAULTS
        self._shared_flaws: tuple[Fault, ...] | None = None
        self._shared: mending.Shared | None = None
        self._size_of_context: int | None = None
        self._wasted = 0

    async def classify(
        self,
        request: Request,
        submission: Submission,
        new_id: Callable[[int], str],
        monotonic: Callable[[], float],
    ) -> Classified:
        """Return what the items of a submission become. Raises Refusal if one of them rejects the whole request.

        `new_id` gives the message id of an item without one, by the item's index. `monotonic` is a clock in seconds.
        """
        outcomes: list[Outcome] = []
        rows: list[EventRow] = []
        quarantined: list[QuarantinedItem] = []
        blobs: list[Blob] = []
        mended: dict[int, Item] = {}
        project, site, dialect = self._received.project, self._received.site, self._installed.dialect.name
        on_invalid, limit = self._route.on_invalid, MAX_EXPANSION * self._installed.dialect.body_cap
        turn, room, is_rejected = _Turn(monotonic), limit, False
        at_once = ITEMS_AT_ONCE if len(request.body) < LARGE_BODY else 1
        for index, item in enumerate(submission.items):
            if index and index % at_once == 0:
                await turn.offer()
            if room < self._wasted:  # very many items, or each event has a copy of the batch's large context
                raise Refusal(Reason.TOO_LARGE, detail={"limit": limit})
            message_id = item.message_id or new_id(index)
            line = self.event_line(item, message_id)
            if isinstance(line, NotStored):
                outcome = _outcome(line, message_id, on_invalid)
                outcomes.append(outcome)
                if outcome.verdict is Verdict.REJECTED:
                    is_rejected = is_rejected or on_invalid is not OnInvalid.REJECT_ITEM
                    continue
                quarantined.append(self._quarantined(item, index, line, outcome, request, submission))
                room -= len(quarantined[-1].payload) + len(quarantined[-1].faults) + OVERHEAD
                continue
            if isinstance(line, LineWithFiles):
                blobs += line.files
                if line.mended is not None:
                    mended[index] = line.mended
                line = line.line
            room -= len(line)
            rows.append(EventRow(line, dedupe_key(project, dialect, site, item)))
            outcomes.append(Outcome(Verdict.STORED, message_id))
        if is_rejected:
            everything = [Outcome(Verdict.REJECTED, outcome.message_id, outcome.faults) for outcome in outcomes]
            raise Refusal(Reason.INVALID, outcomes=tuple(everything))
        if mended:
            submission = self._as_stored(submission, mended)
        return Classified(tuple(outcomes), tuple(rows), tuple(quarantined), tuple(blobs), submission)

    def event_line(self, item: Item, message_id: str) -> EventLine | NotStored:
        """Return an item's event as its canonical line, or why it does not become an event."""
        if item.fault is not None:
            return NotStored((item.fault,))
        if item.site in self._refused_sites:
            return NotStored((Fault("unknown_site"),))
        if self._shared is not None and self._shared.places:  # all items have them
            return self._mended_line(item, message_id, self._shared)
        faults_left = self._faults_left
        translated = self._translated(item, message_id, self._received)
        if isinstance(translated, NotStored):
            line: EventLine | NotStored = translated
        elif isinstance(translated, EventWithFiles):
            line = self._line(translated.event, item, message_id)
            if isinstance(line, bytes):
                line = LineWithFiles(line, tuple(_blobs(translated)))
        else:
            line = self._line(translated, item, message_id)
        if not isinstance(line, NotStored) or all(fault.code != mending.CODE for fault in line.faults):
            return line
        self._faults_left = faults_left
        if self._shared is None:
            self._shared = mending.shared(self._received)
        return self._mended_line(item, message_id, self._shared)

    def _mended_line(self, item: Item, message_id: str, shared: mending.Shared) -> EventLine | NotStored:
        """Return the line of an item whose text is mended, or what it shares with others; or why it has none."""
        mended = mend(item.payload)
        if not is_whole(message_id):
            return NotStored((mending.message_id_fault(message_id, mended),))
        whole = attrs.evolve(item, payload=mended.value) if mended.places else item
        translated = self._translated(whole, message_id, shared.received)
        if isinstance(translated, NotStored):
            return translated
        files: tuple[Blob, ...] = ()
        if isinstance(translated, EventWithFiles):
            files, translated = tuple(_blobs(translated)), translated.event
        fault = mending.identifier_fault(translated, item, mended, message_id, shared, self._translate)
        if fault is not None:
            self._waste_context()
            return NotStored((fault,))
        event = mending.with_note(translated, self._installed.dialect.name, mended.places, shared.places)
        line = self._line(event, whole, message_id)
        return line if isinstance(line, NotStored) else LineWithFiles(line, files, whole)

    def _translated(self, item: Item, message_id: str, received: Received) -> Event | EventWithFiles | NotStored:
        """Return the event of an item that meets its schema, with its files if it has some; or why there is none."""
        if not self._schemas[item.schema].is_valid(item.payload):
            return NotStored(self._explain(item))
        translated = self._translate(item, message_id, received)
        if isinstance(translated, Fault):
            unkept = self._flaws(item.payload)
            return NotStored(unkept or (translated,), Why.INVALID if unkept else Why.UNTRANSLATABLE)
        return translated

    def _line(self, event: Event, item: Item, message_id: str) -> bytes | NotStored:
        """Return an event as its canonical line, or why it cannot be stored."""
        received, context = self._received, event.context
        fields = stamped(event, received.project, self._installed.dialect.name, message_id, received.received_at)
        if self._keep_ip is not None and "ip" in context:
            context = fields["context"] = _with_ip(context, self._keep_ip)
        try:
            line = encode(fields)
        except (TypeError, ValueError, RecursionError):
            self._waste_context()
            faults = self._flaws(item.payload) or self._flaws_of_context()
            if not faults:  # the item can be stored, its translation cannot: a bug, not the client's fault
                raise
            return NotStored(faults)
        not_stored = None
        if rb"\u0000" in line and (nuls := tuple(_nul_faults(fields))):
            not_stored = NotStored(nuls)
        elif not self._installed.canonical.is_valid(fields):
            not_stored = self._bug(fields)
        elif self._is_bot is not None and self._is_bot(str(context.get("user_agent") or self._user_agent)):
            not_stored = KNOWN_BOT
        if not_stored is None:
            return line
        self._wasted += len(line)
        return not_stored

    def _waste_context(self) -> None:
        """Book the work for an event that is not stored: it had a copy of the context that all items share."""
        if self._size_of_context is None:
            self._size_of_context = len(rewrite(self._received.context))
        self._wasted += self._size_of_context

    def dedupe_key(self, item: Item) -> bytes | None:
        """Return the item's dedupe key (see ids.py); None if the client sent no id."""
        return dedupe_key(self._received.project, self._installed.dialect.name, self._received.site, item)

    def _quarantined(
        self,
        item: Item,
        index: int,
        not_stored: NotStored,
        outcome: Outcome,
        request: Request,
        submission: Submission,
    ) -> QuarantinedItem:
        """Return an item as it is quarantined, without the request's credentials."""
        try:
            payload = rewrite(item.payload)
        except RecursionError:  # nested more deeply than Python can write: keep the whole body, as text
            payload = rewrite(request.body.decode("utf-8", "replace"))
        faults = compact_json([attrs.asdict(fault) for fault in not_stored.faults])
        payload, faults = redact.item(payload, faults, self._installed.dialect, submission.credentials)
        return QuarantinedItem(
            message_id=outcome.message_id.encode("utf-8", "backslashreplace").decode(),
            faults=faults,
            payload=payload,
            key=self.dedupe_key(item),
            index=index,
            verdict=outcome.verdict.value,
        )

    def _bug(self, fields: Mapping[str, object]) -> NotStored:
        """Report an event that does not meet the canonical schema; its item can be replayed with a repaired dialect."""
        faults = self._installed.canonical.explain(fields, 1) if self._faults_left > 0 else ()
        self._faults_left -= len(faults)
        [fault] = faults or UNEXPLAINED
        self._on_bug(fault)
        return NotStored((Fault("not_canonical", fault.pointer, {"rule": fault.code}),), Why.DIALECT_BUG)

    def _flaws_of_context(self) -> tuple[Fault, ...]:
        """Return why the context that all items share cannot be stored; it is examined once."""
        if self._shared_flaws is None:
            self._shared_flaws = flaws(self._received.context)
        return self._shared_flaws

    def _explain(self, item: Item) -> tuple[Fault, ...]:
        left = self._faults_left
        faults = self._flaws(item.payload)  # also if none is left: it may be all that is wrong, and be mended
        if faults or left <= 0:
            return faults or UNEXPLAINED
        faults = self._schemas[item.schema].explain(item.payload, left)
        self._faults_left -= len(faults) or left  # what takes too long to explain is not tried again
        return faults or UNEXPLAINED

    def _flaws(self, payload: object) -> tuple[Fault, ...]:
        """Return why a payload cannot be stored: as many faults as the request has left, but at least one."""
        faults = flaws(payload, max(1, self._faults_left))
        self._faults_left -= len(faults)
        return faults

    def _as_stored(self, submission: Submission, mended: Mapping[int, Item]) -> Submission:
        """Return a submission with its mended items, by index, and the context that they share."""
        items = tuple([mended.get(index, item) for index, item in enumerate(submission.items)])
        context = submission.context if self._shared is None else self._shared.received.context
        return attrs.evolve(submission, items=items, context=context)


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


def _with_ip(context: Mapping[str, object], keep: KeepIp) -> dict[str, object]:
    """Return a context with its `ip` as the project keeps it, or without it."""
    address = context["ip"]
    kept = keep(address) if isinstance(address, str) else None
    rest = {name: value for name, value in context.items() if name != "ip"}
    return rest if kept is None else {"ip": kept, **rest}


def _nul_faults(fields: Mapping[str, object]) -> Iterator[Fault]:
    for field in IDENTIFIERS:
        if "\0" in str(fields[field] or ""):
            yield Fault("nul_in_identifier", detail={"field": field})


def _blobs(translated: EventWithFiles) -> Iterator[Blob]:
    digests = translated.digests or [hashlib.sha256(content).hexdigest() for content in translated.files]
    for digest, content in zip(digests, translated.files, strict=True):
        yield Blob(digest, content)
