"""Credentials as JSON: /api/keys, which the page Keys shows too."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.console import key_changes
from gateway.console.context import Console
from gateway.console.page import bad_request, choice_param, console_of, json_answer, json_of, text_param
from gateway.keys.credential import CredentialRecord
from gateway.operate.credentials.known import facts, uses

STATUSES = ("active", "expiring", "expired", "rotated", "revoked")
PAGE = 100
_TEXT, _COUNT, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_TODAY = {"type": "integer", "description": "Since 00:00 UTC."}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_COUNT = {"type": ["integer", "null"]}
_MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
_TEXTS = {"type": "array", "items": _TEXT}


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


KEY = _object(
    {
        **dict.fromkeys(("id", "project", "dialect", "kind", "label"), _TEXT),
        "masked": {**_MAYBE_TEXT, "description": "What may be shown of the value; all of a public one."},
        **dict.fromkeys(("scopes", "origins"), _TEXTS),
        "status": {"enum": list(STATUSES)},
        "rotated": _FLAG,
        "created_at": _COUNT,
        **dict.fromkeys(("revoked_at", "expires_at", "last_used_at"), _MAYBE_COUNT),
        "created": {"type": "string", "format": "date-time"},
        **dict.fromkeys(("revoked", "expires", "last_used"), _MAYBE_TIME),
        **dict.fromkeys(("requests_today", "rejected_today"), _TODAY),
    }
)
LIST = _object(
    {
        "keys": {"type": "array", "items": KEY, "description": "The newest first."},
        "older": {**_MAYBE_TEXT, "description": "What `before` is to be for the next page; null at the end."},
        "uses_problem": {**_MAYBE_TEXT, "description": "Why it is not known when keys were used."},
    }
)
ONE = _object({"key": KEY})
NEW = _object({"key": KEY, "value": {**_TEXT, "description": "It is stored nowhere, and shown only now."}})
_CHANGES = {
    "label": {**_TEXT, "maxLength": 80},
    "scopes": _TEXTS,
    "origins": {**_TEXTS, "description": "Hosts of the pages that may use it; none is any."},
    "expires": {**_TEXT, "description": "A time in RFC 3339, a span from now such as 90d, or never."},
}


def _operation(
    summary: str, answer: object, status: str = "200", body: Mapping[str, object] | None = None
) -> dict[str, object]:
    content = {"application/json": {"schema": answer}}
    found: dict[str, object] = {
        "summary": summary,
        "responses": {status: {"description": "It is done.", "content": content}},
    }
    if body is not None:
        schema = {"type": "object", "properties": dict(body), "additionalProperties": False}
        found["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return found


def _query(name: str, schema: object) -> dict[str, object]:
    return {"name": name, "in": "query", "schema": schema}


_ID = [{"name": "id", "in": "path", "required": True, "schema": _TEXT}]
_GRACE = {"type": "integer", "minimum": 0, "maximum": key_changes.MAX_GRACE}
OPERATIONS: Mapping[str, object] = {
    "/api/keys": {
        "get": {
            **_operation("Keys, the newest first, without their values.", LIST),
            "parameters": [
                *[_query(name, _TEXT) for name in ("project", "dialect", "before")],
                _query("status", {"enum": list(STATUSES)}),
            ],
        },
        "post": _operation(
            "Add a key to a project. Its value is made here, unless one is given; `dialect` is needed.",
            NEW,
            "201",
            {**dict.fromkeys(("project", "dialect", "kind", "value"), _TEXT), **_CHANGES},
        ),
    },
    "/api/keys/{id}": {
        "parameters": _ID,
        "get": _operation("One key.", ONE),
        "patch": _operation("Change a key. What is not given stays.", ONE, body=_CHANGES),
    },
    "/api/keys/{id}/rotate": {
        "parameters": _ID,
        "post": _operation("Replace a key by one with a new value and id.", NEW, "201", {"grace_seconds": _GRACE}),
    },
    "/api/keys/{id}/revoke": {"parameters": _ID, "post": _operation("Revoke a key for good.", ONE)},
}


async def listed(request: web.Request) -> dict[str, Any]:
    """Return a page of keys: what /api/keys answers."""
    console, now = console_of(request), console_of(request).clock()
    wanted = {name: text_param(request, name) for name in ("project", "dialect")}
    status = choice_param(request, "status", STATUSES)
    before = text_param(request, "before")
    async with console.store.keys() as keys:
        records = (await keys.list())[::-1]
    if before is not None:
        after = [number for number, record in enumerate(records, 1) if record.id == before]
        if not after:
            raise bad_request("before is no key")
        records = records[after[0] :]
    found = [
        record
        for record in records
        if all(value in (None, getattr(record, name)) for name, value in wanted.items())
        and status in (None, record.status(now))
    ]
    used = await uses(console.store, now)
    page = found[:PAGE]
    return {
        "keys": [facts(record, used.uses.get(record.id), now) for record in page],
        "older": page[-1].id if len(found) > len(page) else None,
        "uses_problem": used.problem,
    }


async def of(console: Console, record: CredentialRecord) -> dict[str, object]:
    """Return one key as the API shows it."""
    now = console.clock()
    return facts(record, (await uses(console.store, now)).uses.get(record.id), now)


async def show_list(request: web.Request) -> web.Response:
    """Answer with a page of keys."""
    return json_answer(await listed(request))


async def show(request: web.Request) -> web.Response:
    """Answer with one key."""
    console = console_of(request)
    return json_answer({"key": await of(console, await key_changes.get(console, request.match_info["id"]))})


async def add(request: web.Request) -> web.Response:
    """Add a key, and answer with its value."""
    console = console_of(request)
    made = await key_changes.add(console, await json_of(request))
    return json_answer({"key": await of(console, made.record), "value": made.value}, status=201)


async def update(request: web.Request) -> web.Response:
    """Change a key."""
    console = console_of(request)
    record = await key_changes.update(console, request.match_info["id"], await json_of(request))
    return json_answer({"key": await of(console, record)})


async def rotate(request: web.Request) -> web.Response:
    """Replace a key, and answer with the new value."""
    console = console_of(request)
    made = await key_changes.rotate(console, request.match_info["id"], await json_of(request))
    return json_answer({"key": await of(console, made.record), "value": made.value}, status=201)


async def revoke(request: web.Request) -> web.Response:
    """Revoke a key."""
    console = console_of(request)
    record = await key_changes.revoke(console, request.match_info["id"])
    return json_answer({"key": await of(console, record)})


ROUTES = [
    web.get("/api/keys", show_list),
    web.post("/api/keys", add),
    web.get("/api/keys/{id}", show),
    web.patch("/api/keys/{id}", update),
    web.post("/api/keys/{id}/rotate", rotate),
    web.post("/api/keys/{id}/revoke", revoke),
]
