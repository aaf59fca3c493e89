"""The page Start: what to change in an SDK's settings, a key made on the spot, and a light for the first event."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.console import key_changes
from gateway.console.page import bad_request, console_of, form_of, json_answer, render, text_param
from gateway.dialect import Dialect
from gateway.operate.first_event import VERDICTS, WAITING, Arrived, arrived
from gateway.operate.first_start import PROJECT, filled

PLACE = "YOUR-KEY"
"""Stands for the value of a key that is not known any more."""
LABEL = "Made on the page Start"
_TEXT = {"type": "string"}
_LINES = {
    "type": "object",
    "properties": dict.fromkeys(("name", "title", "kind", "setting", "curl"), _TEXT),
    "required": ["name", "title", "kind", "setting", "curl"],
    "additionalProperties": False,
}
_FACTS = {
    "url": {**_TEXT, "description": "Where clients reach the gateway."},
    "dialects": {"type": "array", "items": _LINES, "description": f"With {PLACE} in the place of a key."},
    "project": _TEXT,
    "dialect": _TEXT,
    "since": {**_TEXT, "description": "Counts to compare with: give it back to learn what has come since."},
    "arrived": {"enum": [WAITING, *VERDICTS], "description": "The best verdict of an item that has come since."},
}
SCHEMA = {"type": "object", "properties": _FACTS, "required": list(_FACTS), "additionalProperties": False}
OPERATIONS: Mapping[str, object] = {
    "/api/start": {
        "get": {
            "summary": "What to change in each SDK's settings, and whether an event has come since an earlier look.",
            "parameters": [{"name": name, "in": "query", "schema": _TEXT} for name in ("dialect", "project", "since")],
            "responses": {
                "200": {
                    "description": "What the page Start shows.",
                    "content": {"application/json": {"schema": SCHEMA}},
                }
            },
        }
    }
}


async def facts(request: web.Request) -> dict[str, Any]:
    """Return what the page shows, and what /api/start answers."""
    dialects = {name: each.dialect for name, each in console_of(request).installed.items()}
    dialect = text_param(request, "dialect") or next(iter(dialects), "")
    if dialect not in dialects:
        raise bad_request(f"dialect must be one of {', '.join(dialects)}")
    since = text_param(request, "since")
    before = None if since is None else Arrived.read(since)
    if since is not None and before is None:
        raise bad_request("since must be what this page has given before")
    return await _facts(request, dialects, dialect, text_param(request, "project") or PROJECT, before)


async def _facts(
    request: web.Request, dialects: Mapping[str, Dialect], dialect: str, project: str, before: Arrived | None
) -> dict[str, Any]:
    console = console_of(request)
    now = await arrived(console.store, project, dialect)
    before = before or now
    return {
        "url": console.public_url,
        "dialects": [
            {
                "name": name,
                "title": each.title,
                "kind": each.kinds[0].name,
                "setting": filled(each.setting, console.public_url, PLACE),
                "curl": filled(each.curl, console.public_url, PLACE),
            }
            for name, each in dialects.items()
        ],
        "project": project,
        "dialect": dialect,
        "since": before.text,
        "arrived": now.since(before),
    }


async def page(request: web.Request) -> web.Response:
    """Answer with the page."""
    return await _shown(request, await facts(request), None)


async def make_key(request: web.Request) -> web.Response:
    """Make a key, and show the lines with its value. A later look has them with a word in its place."""
    console, fields = console_of(request), await form_of(request)
    dialects = {name: each.dialect for name, each in console.installed.items()}
    project, dialect = fields.get("project", "").strip() or PROJECT, fields.get("dialect", "")
    try:
        made = await key_changes.add(console, {"project": project, "dialect": dialect, "label": LABEL})
    except web.HTTPBadRequest as error:
        if dialect not in dialects:
            raise
        found = await _facts(request, dialects, dialect, PROJECT, None)
        return await _shown(request, {**found, "project": project}, None, error.text or "")
    found = await _facts(request, dialects, dialect, project, None)
    return await _shown(request, found, made.value)


async def _shown(request: web.Request, found: Mapping[str, Any], value: str | None, problem: str = "") -> web.Response:
    console = console_of(request)
    dialect = console.installed[found["dialect"]].dialect
    shown = {
        "setting": filled(dialect.setting, console.public_url, value or PLACE),
        "curl": filled(dialect.curl, console.public_url, value or PLACE),
    }
    again = str(request.rel_url.with_query({name: found[name] for name in ("dialect", "project", "since")}))
    facts = {**found, "chosen": dialect, "shown": shown, "value": value, "again": again, "problem": problem}
    return await render(request, "start.html", facts, status=400 if problem else 200)


async def api(request: web.Request) -> web.Response:
    """Answer with the same as JSON."""
    return json_answer(await facts(request))


ROUTES = [web.get("/start", page), web.post("/start", make_key), web.get("/api/start", api)]
