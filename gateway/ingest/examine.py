"""One item to a canonical event that is fit to store, or to the faults that say why it is not. Pure."""

import enum
from collections.abc import Callable, Iterator, Mapping

import attrs

from gateway.dialect import EventWithFiles, Item, Received, Route
from gateway.dialect.decode import flaws
from gateway.dialect.event import Event, encode, identifiers
from gateway.dialect.outcome import Fault
from gateway.dialect.value_class import value_class
from gateway.ingest.registry import Installed
from gateway.ingest.schema import MAX_FAULTS
from gateway.records.redact import KeepIp

IsBot = Callable[[str], bool]

UNEXPLAINED = (Fault("invalid"),)
"""The fault reported for an invalid item once the request's budget of explanations (MAX_FAULTS) is spent."""


class Why(enum.Enum):
    """Why no event is stored for an item."""

    INVALID = "invalid"  # the schema refuses it, or it holds what cannot be kept
    UNTRANSLATABLE = "untranslatable"  # it is valid, and yet its dialect can make no event of it
    FILTERED = "filtered"  # it would be an event, but a setting of the operator's keeps it out


@value_class
class NotStored:
    """An item of which no event is stored."""

    faults: tuple[Fault, ...]
    why: Why = Why.INVALID


@value_class
class LineWithFiles:
    """An event's canonical line, and the bytes of the files that came with it."""

    line: bytes
    files: tuple[bytes, ...]


KNOWN_BOT = NotStored((Fault("known_bot", "/context/user_agent"),), Why.FILTERED)

Examined = bytes | LineWithFiles | NotStored
"""Mostly the event's canonical line, as it is: an object around it would cost each event a third of a microsecond."""


class Examiner:
    """Examines the items of one submission, and stops explaining after a bounded number of faults."""

    def __init__(
        self,
        installed: Installed,
        route: Route,
        received: Received,
        keep_ip: KeepIp | None,
        is_bot: IsBot | None = None,
    ) -> None:
        self._keep_ip = keep_ip
        self._is_bot = is_bot
        self._schemas = installed.schemas
        self._translate = route.translate
        self._received = received
        self._budget = MAX_FAULTS
        self._shared: tuple[Fault, ...] | None = None

    def examine(self, item: Item, message_id: str) -> Examined:
        """Return what one item becomes."""
        if item.fault is not None:
            return NotStored((item.fault,))
        if not self._schemas[item.schema].is_valid(item.payload):
            return NotStored(self._explain(item))
        translated = self._translate(item, message_id, self._received)
        if isinstance(translated, Fault):
            unkept = flaws(item.payload)
            return NotStored(unkept or (translated,), Why.INVALID if unkept else Why.UNTRANSLATABLE)
        event = translated.event if isinstance(translated, EventWithFiles) else translated
        if self._keep_ip is not None and "ip" in event.context:
            event = attrs.evolve(event, context=_with_ip(event.context, self._keep_ip))
        try:
            line = encode(event)
        except (TypeError, ValueError, RecursionError):
            faults = flaws(item.payload) or self._shared_flaws()
            if not faults:  # then what came is fit and the translation is not: a bug, not the client's
                raise
            return NotStored(faults)
        if rb"\u0000" in line and (faults := tuple(_nul_faults(event))):
            return NotStored(faults)
        if self._is_bot is not None and self._is_bot(str(event.context.get("user_agent") or "")):
            return KNOWN_BOT
        return LineWithFiles(line, translated.files) if isinstance(translated, EventWithFiles) else line

    def _shared_flaws(self) -> tuple[Fault, ...]:
        """Return why what all items share is not fit to keep; looked at once, however many items there are."""
        if self._shared is None:
            self._shared = flaws(self._received.context)
        return self._shared

    def _explain(self, item: Item) -> tuple[Fault, ...]:
        if self._budget <= 0:
            return UNEXPLAINED
        faults = flaws(item.payload) or self._schemas[item.schema].explain(item.payload, self._budget) or UNEXPLAINED
        self._budget -= len(faults)
        return faults


def _with_ip(context: Mapping[str, object], keep: KeepIp) -> dict[str, object]:
    """Return a context with what a project keeps of an address, wherever the client or its connection said it."""
    address = context["ip"]
    kept = keep(address) if isinstance(address, str) else None
    rest = {name: value for name, value in context.items() if name != "ip"}
    return rest if kept is None else {"ip": kept, **rest}


def refuses(installed: Installed, items: tuple[Item, ...]) -> bool:
    """Return whether the compiled check refuses any of the items; nothing is explained."""
    return any(item.fault is not None or not installed.schemas[item.schema].is_valid(item.payload) for item in items)


def _nul_faults(event: Event) -> Iterator[Fault]:
    for field, value in identifiers(event).items():
        if value is not None and "\0" in value:
            yield Fault("nul_in_identifier", detail={"field": field})
