"""What every page uses: its console, its query, its answer as HTML or JSON. No page here, and no check of who asks."""

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from gateway.console.context import CONSOLE, Console
from gateway.console.sessions import Session
from gateway.operate import times

NAVIGATION = (
    ("/start", "Start"),
    ("/overview", "Overview"),
    ("/live", "Live"),
    ("/events", "Events"),
    ("/quarantine", "Quarantine"),
    ("/rejected", "Rejected"),
    ("/keys", "Keys"),
    ("/openapi", "API"),
)
MAX_PARAM = 4096
"""Characters that a parameter of a query may have."""
SESSION = web.RequestKey("SESSION", Session)
"""The session of a request that came with the cookie of one."""
Handler = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


def console_of(request: web.Request) -> Console:
    """Return the console that a request is for."""
    return request.app[CONSOLE]


async def render(
    request: web.Request, template: str, facts: Mapping[str, object], *, status: int = 200
) -> web.Response:
    """Return a page: a template with facts, which it shows as text. It shows the notices of the session, once.

    Templates extend `base.html`, and get beside the facts, and in place of those of the same names: `path`, `session`
    (None before login), `navigation`, `notices` as `(kind, text)`.
    """
    session = request.get(SESSION)
    frame = {
        "path": request.path,
        "session": session,
        "navigation": NAVIGATION,
        "notices": [] if session is None else session.take_notices(),
    }
    return aiohttp_jinja2.render_template(template, request, {**facts, **frame}, status=status)


def json_answer(facts: object, *, status: int = 200) -> web.Response:
    """Return facts as JSON."""
    text = json.dumps(facts, ensure_ascii=True, separators=(",", ":"))  # ASCII: no control character in a terminal
    return web.Response(text=text, status=status, content_type="application/json")


def changed(request: web.Request, location: str, notice: str, kind: str = "good") -> web.Response:
    """Return what answers a form: go to a page of the console, which shows the notice. `kind` is "good" or "bad"."""
    session = request.get(SESSION)
    if session is not None:
        session.notice(notice, kind)
    return web.Response(status=303, headers={"Location": location})


def text_param(request: web.Request, name: str) -> str | None:
    """Return a parameter of the query; None without it, and where it is empty, as forms send it."""
    value = request.query.get(name, "").strip()
    if len(value) > MAX_PARAM:
        raise bad_request(f"{name} is longer than {MAX_PARAM} characters")
    return value or None


def int_param(request: web.Request, name: str, *, low: int = 0, high: int = (1 << 63) - 1) -> int | None:
    """Return a parameter of the query as an integer within bounds."""
    value = text_param(request, name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 19 and low <= int(value) <= high):
        raise bad_request(f"{name} must be an integer from {low} to {high}")
    return int(value)


def time_param(request: web.Request, name: str) -> int | None:
    """Return a parameter of the query as a time in milliseconds since the epoch: RFC 3339, or an age such as 24h.

    What a browser's field for times sends (`2026-01-02T03:04`) is taken for UTC.
    """
    value = text_param(request, name)
    if value is None:
        return None
    if value[-1:].isdigit() and len(value) in (10, 16, 19):  # without a zone, without seconds, without a time
        value = value + "T00:00:00"[len(value) - 10 :] + "Z"
    try:
        return times.parse(value, console_of(request).clock())
    except (ValueError, OverflowError):
        raise bad_request(f"{name} is no time; {times.HINT}") from None


def choice_param(request: web.Request, name: str, choices: tuple[str, ...]) -> str | None:
    """Return a parameter of the query that is one of some texts."""
    value = text_param(request, name)
    if value is not None and value not in choices:
        raise bad_request(f"{name} must be one of {', '.join(choices)}")
    return value


async def form_of(request: web.Request) -> Mapping[str, str]:
    """Return the fields of a form. Of a field that is sent twice the first counts."""
    fields = await request.post()
    return {name: value for name, value in reversed(list(fields.items())) if isinstance(value, str)}


async def json_of(request: web.Request) -> dict[str, Any]:
    """Return the JSON object that a request below /api/ carries; no body is an empty one."""
    body = await request.read()
    if not body:
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("the body is not JSON") from None
    if not isinstance(found, dict):
        raise bad_request("the body must be a JSON object")
    return found


def bad_request(line: str) -> web.HTTPBadRequest:
    """Return the error of a request that says something impossible, in one line."""
    return web.HTTPBadRequest(text=line)


def not_found(line: str) -> web.HTTPNotFound:
    """Return the error of a request for what is not there, in one line."""
    return web.HTTPNotFound(text=line)


def streaming(handler: Handler) -> Handler:
    """Mark a handler that answers for as long as its client listens: it has no deadline, and takes no reader's place.

    It is cancelled when its session ends. It has to bound its clients by itself.
    """
    handler.__dict__["streaming"] = True
    return handler


def is_streaming(handler: object) -> bool:
    """Return whether a handler is marked so."""
    return bool(getattr(handler, "streaming", False))
