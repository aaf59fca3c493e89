"""The page Live: what arrives, as it arrives, by server-sent events; and the newest of it without a stream."""

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from gateway.console.page import (
    bad_request,
    choice_param,
    console_of,
    json_answer,
    render,
    streaming,
    text_param,
)
from gateway.console.pages.events import POSITION, ROW, TYPES, parameters
from gateway.operate.events.search import search
from gateway.operate.live.feed import TooManyListeners
from gateway.operate.live.listener import Batch, Listener
from gateway.operate.live.rows import VERDICTS, LiveFilter, held_row, rejected_row
from gateway.storage.held.groups import QuarantineFilter, RejectedFilter
from gateway.storage.read import EventFilter, LogReader, Position
from gateway.storage.records import Records

ROWS = 50
SEARCH_SECONDS = 0.5
"""After how long the search for the newest events stops: what is rarer is found by the page Events."""
JSON_SECONDS = 20.0
FULL = "too many browsers follow what arrives"
STREAM = "text/event-stream"
SEND_SECONDS = 20.0
"""After how long a client that takes nothing is given up."""
CHECK_SECONDS = 2.0
"""How often it is looked whether a client is still there to which there is nothing to send."""
FIELDS = ("project", "dialect", "type", "name", "person", "verdict")

_SHOWN = {
    **ROW,
    "description": "An event in short, or an item that did not become one. Long texts are cut.",
    "required": [*ROW["required"], "why", "page"],
    "properties": {
        **ROW["properties"],
        "position": {"oneOf": [POSITION, {"type": "null"}]},
        "verdict": {"enum": list(VERDICTS)},
        "why": {"type": ["string", "null"], "description": "Why it is not stored."},
        "page": {"type": "string", "description": "The page of the console that has all of it."},
    },
}
NEWEST = {
    "type": "object",
    "required": ["rows", "cursor", "stopped"],
    "properties": {
        "rows": {"type": "array", "items": _SHOWN, "description": "The newest first."},
        "cursor": {**POSITION, "description": "The stream goes on from here with `after`."},
        "stopped": {"type": "boolean", "description": "There are older events that were not looked at."},
    },
}
OPERATIONS: Mapping[str, object] = {
    "/api/live": {
        "get": {
            "summary": "What arrives: the newest, or with `Accept: text/event-stream` a stream.",
            "description": (
                "A message `rows` of the stream has JSON as data: `rows` (the oldest first), `more` (how many others "
                "there were), `skipped` (not all was looked at) and `missed` (how many came while the client was too "
                "slow). A message `trouble` has a `line`. The id of a message is a cursor, for `Last-Event-ID`."
            ),
            "parameters": [
                *parameters("project", "dialect", "type", "name", "person"),
                {"name": "verdict", "in": "query", "schema": {"enum": list(VERDICTS)}},
                {
                    "name": "after",
                    "in": "query",
                    "description": "Begin the stream with what came in after this cursor.",
                    "schema": {"type": "string"},
                },
            ],
            "responses": {
                "200": {
                    "description": "The newest.",
                    "content": {"application/json": {"schema": NEWEST}, STREAM: {"schema": {"type": "string"}}},
                }
            },
        }
    }
}


class Stream(EventSourceResponse):
    """A stream of messages that nobody keeps a copy of."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.headers["Cache-Control"] = "no-store"


def filter_of(request: web.Request) -> LiveFilter:
    """Return the filter of a query with FIELDS. Raises HTTPBadRequest."""
    return LiveFilter(
        project=text_param(request, "project"),
        dialect=text_param(request, "dialect"),
        type=choice_param(request, "type", TYPES),
        name=text_param(request, "name"),
        person=text_param(request, "person"),
        verdict=choice_param(request, "verdict", VERDICTS),
    )


async def facts(request: web.Request) -> dict[str, Any]:
    """Return the newest of what the query asks for, and the cursor from which a stream goes on."""
    where, store = filter_of(request), console_of(request).store
    async with store.log() as reader, store.records() as records:
        cursor = await reader.newest()
        rows, stopped = await _newest_events(reader, where, cursor)
        if where.of_held:
            rows += await _newest_held(records, where)
    rows.sort(key=lambda row: row["received_at"] or "", reverse=True)
    return {"rows": rows[:ROWS], "cursor": cursor, "stopped": stopped}


async def _newest_events(reader: LogReader, where: LiveFilter, until: Position) -> tuple[list[dict[str, Any]], bool]:
    if not where.of_events:
        return [], False
    asked = EventFilter(
        project=where.project, dialect=where.dialect, type=where.type, name=where.name, person=where.person
    )
    found = await search(reader, asked, time.monotonic, until=until, seconds=SEARCH_SECONDS)
    return [{**row, "why": None, "page": f"/events/{row['position']}"} for row in found.rows], found.stopped


async def _newest_held(records: Records, where: LiveFilter) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    if where.verdict != VERDICTS[3]:
        held = QuarantineFilter(project=where.project, dialect=where.dialect, verdict=where.verdict)
        rows += map(held_row, (await records.quarantine_page(held, most=ROWS)).rows)
    if where.verdict in (None, VERDICTS[3]):
        rejected = RejectedFilter(project=where.project, dialect=where.dialect)
        rows += map(rejected_row, (await records.rejected_page(rejected, most=ROWS)).rows)
    return rows


async def page(request: web.Request) -> web.Response:
    """Answer with the page. Without JavaScript it shows the newest, and a link to load it again."""
    asked = {name: text_param(request, name) for name in FIELDS}
    given = {name: value for name, value in asked.items() if value is not None}
    console = console_of(request)
    return await render(
        request,
        "live.html",
        {
            **await facts(request),
            "asked": asked,
            "types": TYPES,
            "verdicts": VERDICTS,
            "dialects": sorted(console.installed),
            "query": urlencode(given),
        },
    )


@streaming
async def api(request: web.Request) -> web.StreamResponse:
    """Answer with the newest as JSON, or with a stream."""
    if STREAM not in request.headers.get("Accept", ""):
        async with asyncio.timeout(JSON_SECONDS):
            return json_answer(await facts(request))
    where, feed = filter_of(request), console_of(request).feed
    after = request.headers.get("Last-Event-ID") or text_param(request, "after")
    async with contextlib.AsyncExitStack() as stack:
        try:
            listener = await stack.enter_async_context(feed.listening(where, after))
        except TooManyListeners:
            raise web.HTTPServiceUnavailable(text=FULL, headers={"Retry-After": "10"}) from None
        except ValueError:
            raise bad_request("after is no position of this log") from None
        return await _stream(request, listener)


async def _stream(request: web.Request, listener: Listener) -> web.StreamResponse:
    """Send what the listener gets until the client is gone."""
    async with sse_response(request, response_cls=Stream, send_timeout=SEND_SECONDS) as response:
        with contextlib.suppress(ConnectionError, TimeoutError):
            await response.send("{}", event="open", retry=2000)
            while response.is_connected() and request.transport is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_SECONDS):
                        batch = await listener.next()
                    await _send(response, batch)
    return response


async def _send(response: EventSourceResponse, batch: Batch) -> None:
    cursor = None if batch.cursor is None else str(batch.cursor)
    if batch.trouble is not None:
        await response.send(json.dumps({"line": batch.trouble}), event="trouble")
        return
    told = {"rows": batch.rows, "more": batch.more, "skipped": batch.skipped, "missed": batch.missed}
    await response.send(json.dumps(told), id=cursor, event="rows")


ROUTES = [web.get("/live", page), web.get("/api/live", api)]
