"""One item to the line of its event: checked, translated, mended if it has half a character, checked again. No I/O."""

import hashlib
from collections.abc import Callable, Iterator, Mapping

import attrs

from gateway.dialect import EventWithFiles, Item, Received, Route
from gateway.dialect.decode import flaws, rewrite
from gateway.dialect.event import IDENTIFIERS, Event, encode, stamped
from gateway.dialect.flaws import is_whole
from gateway.dialect.mend import mend
from gateway.dialect.outcome import Fault
from gateway.ingest.clients import privacy
from gateway.ingest.items import mending
from gateway.ingest.items.not_stored import KNOWN_BOT, UNEXPLAINED, EventLine, LineWithFiles, NotStored, Why
from gateway.ingest.registry import Installed
from gateway.ingest.schema import MAX_FAULTS
from gateway.records.redact import KeepIp
from gateway.storage.contract import Blob

BACKSLASH = ord("\\")  # a number is found ten times as fast as a text, and most lines have none
IsBot = Callable[[str], bool]
"""Returns whether a user agent is a known bot's."""


class EventLines:
    """Makes the lines of one request's events; explains no more than MAX_FAULTS faults of all its items.

    `keep_ip` shortens addresses, if the project does not keep them whole; `is_bot` is given if it filters bots.
    `on_bug` is called with a fault of each event that does not meet the canonical schema. Items that name one of
    `refused_sites` are invalid. `user_agent` is the request's, for events without the visitor's own. `is_stranger`
    says that the sender has shown no valid secret. `asked` is what the client's wish for privacy makes of the events.

    `wasted` are about the bytes of events that were made and are not stored.
    """

    # What nearly no request changes stands here, so that none has to set it.
    wasted = 0
    _faults_left = MAX_FAULTS
    _shared_flaws: tuple[Fault, ...] | None = None
    _shared: mending.Shared | None = None
    _size_of_context: int | None = None

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
        is_stranger: bool = False,
        asked: privacy.Privacy | None = None,
    ) -> None:
        self._installed = installed
        self._route = route
        self._received = received
        self._keep_ip = keep_ip
        self._is_bot = is_bot
        self._on_bug = on_bug
        self._refused_sites = refused_sites
        self._user_agent = user_agent
        self._is_stranger = is_stranger
        self._asked = asked
        self._is_anonymous = asked is not None and asked.anonymize
        self._schemas = installed.schemas
        self._translate = route.translate

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
        if isinstance(translated, Event):
            line: EventLine | NotStored = self._line(translated, item, message_id)
            if type(line) is bytes:
                return line
        elif isinstance(translated, EventWithFiles):
            line = self._line(translated.event, item, message_id)
            if isinstance(line, bytes):
                line = LineWithFiles(line, tuple(_blobs(translated)))
        else:
            line = translated
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
        if self._is_anonymous and isinstance(translated, EventWithFiles):
            return translated.event  # who knows what is in the files
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
        if BACKSLASH in line and rb"\u0000" in line and (nuls := tuple(_nul_faults(fields))):
            not_stored = NotStored(nuls)
        elif not self._installed.stamped.is_valid(fields):
            not_stored = self._bug(fields)
        elif self._is_bot is not None and self._is_bot(str(context.get("user_agent") or self._user_agent)):
            not_stored = KNOWN_BOT
        if not_stored is None:
            # Only now, so that an unfit id is the same fault whoever sends it.
            return line if self._asked is None else encode(privacy.applied(fields, self._asked))
        self.wasted += len(line)
        return not_stored

    def _waste_context(self) -> None:
        """Book the work for an event that is not stored: it had a copy of the context that all items share."""
        if self._size_of_context is None:
            self._size_of_context = len(rewrite(self._received.context))
        self.wasted += self._size_of_context

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

    def context_as_stored(self) -> Mapping[str, object]:
        """Return the context that the items share; another object than the given one only if it had to be mended."""
        return self._received.context if self._shared is None else self._shared.received.context


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
