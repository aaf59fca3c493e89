"""The page Overview: events by time and dialect, outcomes, rejections and what to do about them, how the store is."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from gateway.console.ingestion import STATES, Ingestion, ask
from gateway.console.page import choice_param, console_of, json_answer, render, text_param
from gateway.dialect.timestamps import from_millis, from_seconds
from gateway.operate.advice import Rejection, advice
from gateway.operate.overview.counts import VERDICTS, Counts
from gateway.operate.overview.read import Overview, overview
from gateway.operate.overview.spans import SPANS, Span

_COUNT = {"type": "integer"}
_TIME = {"type": "string", "format": "date-time"}
_TEXT = {"type": "string"}


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _nullable(schema: Mapping[str, object]) -> dict[str, object]:
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: object) -> dict[str, object]:
    return {"type": "array", "items": items}


_VERDICTS = dict.fromkeys(VERDICTS, _COUNT)
SCHEMA = _object(
    {
        "span": {"enum": list(SPANS)},
        "project": _nullable(_TEXT),
        "projects": _list(_TEXT),
        "now": _TIME,
        "step_seconds": _COUNT,
        "times": {**_list(_TIME), "description": "When each step begins; the last one has not ended yet."},
        "events": {
            "type": "object",
            "additionalProperties": _list(_COUNT),
            "description": "The stored events of each step, by dialect.",
        },
        "counted_since": {**_nullable(_TIME), "description": "Set where counts by time begin later than the span."},
        "outcomes": _object(
            {
                "total": _object(_VERDICTS),
                "rows": _list(_object({"project": _TEXT, "dialect": _TEXT, **_VERDICTS})),
                "left_out": _COUNT,
            }
        ),
        "rejections": _object(
            {
                "groups": _list(
                    _object(
                        {
                            **dict.fromkeys(("reason", "dialect", "advice"), _TEXT),
                            **dict.fromkeys(("project", "credential_id", "origin"), _nullable(_TEXT)),
                            "count": _COUNT,
                            "newest": _TIME,
                            "example": _COUNT,
                        }
                    )
                ),
                "left_out": _COUNT,
            }
        ),
        "newest_event": {**_nullable(_TEXT), "description": "When the last event of the whole store was received."},
        "reader_lag_seconds": _nullable({"type": "number"}),
        "disk": _object({"bytes": _COUNT, "free": _nullable(_COUNT), "is_whole": {"type": "boolean"}}),
        "server": _object(
            {
                "url": _TEXT,
                "state": {"enum": list(STATES)},
                "queue_bytes": _nullable(_COUNT),
                "queue_limit_bytes": _nullable(_COUNT),
            }
        ),
    }
)
OPERATIONS: Mapping[str, object] = {
    "/api/overview": {
        "get": {
            "summary": "Events by time and dialect, outcomes, rejections, and how the store is.",
            "parameters": [
                {"name": "span", "in": "query", "schema": {"enum": list(SPANS), "default": "hour"}},
                {"name": "project", "in": "query", "schema": _TEXT, "description": "Counts of this project only."},
            ],
            "responses": {
                "200": {
                    "description": "What the page Overview shows.",
                    "content": {"application/json": {"schema": SCHEMA}},
                }
            },
        }
    }
}


async def facts(request: web.Request) -> dict[str, Any]:
    """Return what the page shows, and what /api/overview answers."""
    console = console_of(request)
    span = SPANS[choice_param(request, "span", tuple(SPANS)) or "hour"]
    project, now = text_param(request, "project"), console.clock()
    asking = asyncio.create_task(ask(console.url))
    try:
        found = await overview(console.store, span, now, project)
        server = await asking
    finally:
        asking.cancel()
    return {
        "span": span.name,
        "project": project,
        "now": from_seconds(now // 1000),
        **_counted(span, found.counts),
        "rejections": _rejections(found),
        **_state(found),
        "server": _server(console.url, server),
    }


def _counted(span: Span, counts: Counts) -> dict[str, object]:
    rows = [{"project": each.project, "dialect": each.dialect, **each.counts} for each in counts.outcomes]
    return {
        "step_seconds": span.step,
        "times": [from_seconds(start) for start in counts.starts],
        "events": {dialect: list(series) for dialect, series in counts.events.items()},
        "counted_since": None if counts.counted_since is None else from_seconds(counts.counted_since),
        "outcomes": {"total": dict(counts.total), "rows": rows, "left_out": counts.left_out},
    }


def _rejections(found: Overview) -> dict[str, object]:
    groups = [
        {
            "reason": each.reason,
            "dialect": each.dialect,
            "project": each.project,
            "credential_id": each.credential_id,
            "origin": each.origin,
            "count": each.count,
            "newest": from_millis(each.newest),
            "example": each.example,
            "advice": advice(
                Rejection(each.reason, each.dialect, each.project, each.credential_id, each.origin),
            ),
        }
        for each in found.rejections
    ]
    return {"groups": groups, "left_out": found.rejections_left_out}


def _state(found: Overview) -> dict[str, object]:
    disk = found.disk
    return {
        "projects": list(found.projects),
        "newest_event": found.newest_event,
        "reader_lag_seconds": found.reader_lag,
        "disk": {"bytes": disk.bytes, "free": disk.free, "is_whole": disk.is_whole},
    }


def _server(url: str, server: Ingestion) -> dict[str, object]:
    return {
        "url": url,
        "state": server.state,
        "queue_bytes": server.queue_bytes,
        "queue_limit_bytes": server.queue_limit_bytes,
    }


def _table(facts: Mapping[str, Any]) -> Sequence[tuple[str, Sequence[int]]]:
    """Return the rows of the table of events, the newest first: a time, and the events of each dialect in its step."""
    rows = zip(facts["times"], *facts["events"].values(), strict=True)
    return [(time, counts) for time, *counts in rows][::-1]


async def page(request: web.Request) -> web.Response:
    """Answer with the page."""
    found = await facts(request)
    return await render(
        request, "overview.html", {**found, "spans": list(SPANS), "verdicts": VERDICTS, "table": _table(found)}
    )


async def api(request: web.Request) -> web.Response:
    """Answer with the same as JSON."""
    return json_answer(await facts(request))


ROUTES = [web.get("/overview", page), web.get("/api/overview", api)]
