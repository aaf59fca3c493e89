"""Downloads of events, in the formats of `gateway events export`: /api/events/export. It has no page of its own."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import get_args
from weakref import WeakKeyDictionary

from aiohttp import web

from gateway.console.context import Console
from gateway.console.page import bad_request, choice_param, console_of, streaming, text_param, time_param
from gateway.dialect.event import EventType
from gateway.operate.formats.encoder import FormatError, FormatOptions
from gateway.operate.formats.formats import FORMATS
from gateway.storage import read
from gateway.storage.read import EventFilter, LogReader, Position
from gateway.store_error import StoreError

AT_ONCE = 2
"""Downloads at once; a further one gets 503."""
WRITE_SECONDS = 60.0
"""A client that takes nothing for so long is given up."""
MEANINGS = {
    "after": "Only events after this position.",
    "id": "Only this message id.",
    "project": "Only this project.",
    "dialect": "Only this dialect.",
    "type": "Only this type.",
    "name": "Only this exact name.",
    "person": "Only this user id or anonymous id.",
    "since": "Received at this time or later: RFC 3339, or an age such as 24h.",
    "before": "Received before this time.",
}
YES = ("1", "true", "yes")
log = logging.getLogger(__name__)
_running: WeakKeyDictionary[Console, int] = WeakKeyDictionary()

OPERATIONS: Mapping[str, object] = {
    "/api/events/export": {
        "get": {
            "summary": "Download events, the oldest first.",
            "description": "A download that breaks off has no end: its connection is reset.",
            "parameters": [
                {"name": "format", "in": "query", "schema": {"enum": list(FORMATS), "default": "jsonl"}},
                {
                    "name": "with_position",
                    "in": "query",
                    "description": "`1` adds each event's position.",
                    "schema": {"type": "string"},
                },
                *[
                    {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
                    for name, text in MEANINGS.items()
                ],
            ],
            "responses": {
                "200": {
                    "description": "The events.",
                    "content": {
                        each.media_type.partition(";")[0]: {"schema": {"type": "string"}} for each in FORMATS.values()
                    },
                }
            },
        }
    }
}


@streaming
async def export(request: web.Request) -> web.StreamResponse:
    """Answer with all events that are asked for, page by page."""
    name = choice_param(request, "format", tuple(FORMATS)) or "jsonl"
    where = EventFilter(
        message_id=text_param(request, "id"),
        project=text_param(request, "project"),
        dialect=text_param(request, "dialect"),
        type=choice_param(request, "type", get_args(EventType)),
        name=text_param(request, "name"),
        person=text_param(request, "person"),
        since=time_param(request, "since"),
        before=time_param(request, "before"),
    )
    with _place(console_of(request)):
        async with console_of(request).store.log() as reader:
            start = _start(reader, text_param(request, "after"))
            with_position = text_param(request, "with_position") in YES
            place = type(await reader.newest()) if with_position else None
            try:
                encoder = FORMATS[name].make(FormatOptions(position=place))
            except FormatError as error:
                raise web.HTTPNotImplemented(text=str(error)) from None
            response = web.StreamResponse(
                headers={
                    "Content-Type": FORMATS[name].media_type,
                    "Content-Disposition": f'attachment; filename="events.{name}"',
                }
            )
            await response.prepare(request)
            try:
                await _write(response, [encoder.start()])
                async for page in read.export(reader, start, where):
                    if page.positions:  # encoded on a thread: live lines go on meanwhile
                        await _write(response, await asyncio.to_thread(list, encoder.encode(page)))
                await _write(response, [await asyncio.to_thread(encoder.finish)])
                await response.write_eof()
            except (FormatError, StoreError, TimeoutError) as error:
                log.warning("a download broke off: %s", error or f"its client took nothing for {WRITE_SECONDS:.0f} s")
                if request.transport is not None:
                    request.transport.abort()
            return response


@contextmanager
def _place(console: Console) -> Iterator[None]:
    if _running.get(console, 0) >= AT_ONCE:
        raise web.HTTPServiceUnavailable(text="too many downloads run at once", headers={"Retry-After": "10"})
    _running[console] = _running.get(console, 0) + 1
    try:
        yield
    finally:
        _running[console] -= 1


def _start(reader: LogReader, after: str | None) -> Position | None:
    try:
        return None if after is None else reader.parse_position(after)
    except ValueError:
        raise bad_request("after is no position of this log") from None


async def _write(response: web.StreamResponse, blocks: Iterable[bytes]) -> None:
    for block in blocks:
        if block:
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(block)


ROUTES = [web.get("/api/events/export", export, allow_head=False)]  # a HEAD would read the whole log for nothing
