"""What a dialect makes of a request: parse, schema and translate, with nothing around them. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from gateway.dialect import EventWithFiles, Fault, Item, Received, Refusal, Request, Route, Submission
from gateway.dialect.event import stamped
from gateway.dialect.outbound import NO_FILES, Files, OutboundItem, OutboundRequest, requests_of
from gateway.ingest.registry import Installed

NO_CREDENTIALS: Mapping[str, str] = {}
INVALID = "invalid"
"""An item that does not meet its schema."""


@attrs.frozen
class Read:
    """What became of one item: its event and the contents of its files, or a word for what is wrong with it."""

    route: Route
    item: Item | None
    event: Mapping[str, Any] | None
    wrong: str = ""
    files: Files = NO_FILES

    def why(self, installed: Installed) -> str:
        """Return what is wrong with an item, with the place: that takes a hundred times as long as finding out."""
        if self.wrong != INVALID or self.item is None:
            return self.wrong
        return "; ".join([_told(fault) for fault in installed.schemas[self.item.schema].explain(self.item.payload, 3)])


@attrs.frozen
class Clock:
    """What the gateway stamps on what it reads: where it reads it, and when, in RFC 3339."""

    received_at: str
    project: str = "default"
    message_id: str = "00000000-0000-7000-8000-000000000000"


def read(installed: Installed, route: Route, request: Request, clock: Clock) -> Iterator[Read]:
    """Yield what becomes of each item of a request that was sent to a route."""
    try:
        submission = route.parse(request)
    except Refusal as refusal:
        yield Read(route, None, None, refusal.reason.value)
        return
    if submission.fault is not None:
        yield Read(route, None, None, _told(submission.fault))
    for item in submission.items:
        yield _read_item(installed, route, submission, item, request, clock)


def read_back(installed: Installed, items: tuple[OutboundItem, ...], clock: Clock) -> Iterator[Read]:
    """Yield what a dialect makes of items that it has emitted, sent in requests without credentials."""
    for sent in requests_of(installed.dialect, items, NO_CREDENTIALS):
        route = installed.route(items[sent.items[0]].route)
        assert route is not None, "an outbound route is one of the dialect's"
        yield from read(installed, route, as_received(sent), clock)


def as_received(sent: OutboundRequest) -> Request:
    """Return a request as it reaches the vendor, or a gateway in the vendor's place."""
    headers = {name.lower(): value for name, value in sent.headers.items()}
    return Request(sent.method, sent.path, sent.query, headers, sent.body, 0, sent.client_ip)


def _read_item(
    installed: Installed, route: Route, submission: Submission, item: Item, request: Request, clock: Clock
) -> Read:
    if item.fault is not None:
        return Read(route, item, None, _told(item.fault))
    if not installed.schemas[item.schema].is_valid(item.payload):
        return Read(route, item, None, INVALID)
    received = Received(clock.project, item.site, clock.received_at, request.client_ip, submission.context)
    message_id = item.message_id or clock.message_id
    translated = route.translate(item, message_id, received)
    if isinstance(translated, Fault):
        return Read(route, item, None, _told(translated))
    files = NO_FILES
    if isinstance(translated, EventWithFiles):
        files = dict(zip(translated.digests, translated.files, strict=True))
        translated = translated.event
    event = stamped(translated, clock.project, installed.dialect.name, message_id, clock.received_at)
    return Read(route, item, event, files=files)


def _told(fault: Fault) -> str:
    return f"{fault.code} at {fault.pointer or '/'}"
