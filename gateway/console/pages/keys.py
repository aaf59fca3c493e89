"""The page Keys: who may send, when each key was used, and the forms that add, change, rotate and revoke one."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from gateway.console import key_changes
from gateway.console.context import Console
from gateway.console.page import changed, console_of, not_found, render, text_param
from gateway.console.pages import keys_api
from gateway.dialect.timestamps import from_millis
from gateway.keys.credential import CredentialRecord, NewCredential
from gateway.operate.first_start import PROJECT, filled

OPERATIONS = keys_api.OPERATIONS
GRACES = (
    ("0", "at once"),
    ("3600", "in an hour"),
    ("86400", "in a day"),
    ("604800", "in a week"),
    ("2592000", "in 30 days"),
)


async def page(request: web.Request) -> web.Response:
    """Show a page of keys."""
    found = await keys_api.listed(request)
    wanted = {name: text_param(request, name) for name in ("project", "dialect", "status")}
    asked = {name: value for name, value in wanted.items() if value is not None}
    older = None if found["older"] is None else _link(request, {**asked, "before": found["older"]})
    newer = _link(request, asked) if "before" in request.query else None
    return await render(
        request,
        "keys.html",
        {
            **found,
            "older": older,
            "newer": newer,
            "wanted": wanted,
            "statuses": keys_api.STATUSES,
            "dialects": _titles(console_of(request)),
        },
    )


def _link(request: web.Request, query: Mapping[str, str]) -> str:
    return str(request.rel_url.with_query(query))


def _titles(console: Console) -> list[tuple[str, str]]:
    return [(name, each.dialect.title) for name, each in console.installed.items()]


async def show_new(request: web.Request) -> web.Response:
    """Show the form that adds a key of a dialect."""
    given = {"project": text_param(request, "project") or PROJECT}
    return await _shown_new(request, text_param(request, "dialect") or "", given)


async def _shown_new(
    request: web.Request, dialect_name: str, given: Mapping[str, Any], problem: str = ""
) -> web.Response:
    console = console_of(request)
    dialect = key_changes.installed_dialect(console, dialect_name)
    if dialect is None:
        raise not_found("there is no such dialect")
    shown = {"project": PROJECT, "kind": None, "label": "", "expires": "", "scopes": list(dialect.scopes), **given}
    shown["origins"] = ", ".join(given.get("origins", ()))
    facts = {"dialect": dialect, "given": shown, "problem": problem, "dialects": _titles(console)}
    return await render(request, "key_new.html", facts, status=400 if problem else 200)


async def add(request: web.Request) -> web.Response:
    """Add a key, and show its value: no other page ever does."""
    fields = await _fields(request)
    given = {name: value for name, value in fields.items() if value not in ("", [])}
    dialect = key_changes.installed_dialect(console_of(request), fields["dialect"])
    if dialect is not None and dialect.scopes:
        given["scopes"] = fields["scopes"]
    try:
        made = await key_changes.add(console_of(request), given)
    except web.HTTPBadRequest as error:
        given.pop("value", None)  # a secret is not repeated
        return await _shown_new(request, fields["dialect"], given, error.text or "")
    return await _shown_made(request, made, "")


async def _fields(request: web.Request) -> dict[str, Any]:
    """Return the fields of a form. Origins stand in one field, with commas or spaces between them."""
    form = await request.post()

    def text(name: str) -> str:
        value = form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    return {
        **{name: text(name) for name in ("project", "dialect", "kind", "value", "label", "expires")},
        "origins": text("origins").replace(",", " ").split(),
        "scopes": [each for each in form.getall("scope", []) if isinstance(each, str)],
    }


async def _shown_made(request: web.Request, made: NewCredential, rotated: str) -> web.Response:
    console, record = console_of(request), made.record
    dialect = key_changes.installed_dialect(console, record.dialect)
    lines: Sequence[tuple[str, str]] = ()
    if dialect is not None and record.kind == dialect.kinds[0].name:
        lines = (
            ("In the SDK's settings", filled(dialect.setting, console.public_url, made.value)),
            ("To try it", filled(dialect.curl, console.public_url, made.value)),
        )
    facts = {"key": await keys_api.of(console, record), "value": made.value, "rotated": rotated, "lines": lines}
    return await render(request, "key_made.html", facts)


async def show(request: web.Request) -> web.Response:
    """Show one key, with the forms that change it."""
    return await _shown(request, await key_changes.get(console_of(request), request.match_info["id"]))


async def _shown(
    request: web.Request, record: CredentialRecord, given: Mapping[str, Any] | None = None, problem: str = ""
) -> web.Response:
    console = console_of(request)
    dialect = key_changes.installed_dialect(console, record.dialect)
    key = await keys_api.of(console, record)
    shown = {
        "label": record.label,
        "scopes": list(record.scopes),
        "origins": list(record.origins),
        "expires": "never" if record.expires_at is None else from_millis(record.expires_at),
        **(given or {}),
    }
    shown["origins"] = ", ".join(shown["origins"])
    facts = {
        "key": key,
        "given": shown,
        "problem": problem,
        "scopes": () if dialect is None else dialect.scopes,
        "is_installed": dialect is not None,
        "is_over": key["status"] in ("revoked", "rotated", "expiring"),
        "graces": GRACES,
    }
    return await render(request, "key.html", facts, status=400 if problem else 200)


async def update(request: web.Request) -> web.Response:
    """Change a key as a form says. Of one that is over, the form has the label only."""
    console, key_id = console_of(request), request.match_info["id"]
    form, fields = await request.post(), await _fields(request)
    given: dict[str, Any] = {"label": fields["label"]}
    if "origins" in form:
        given |= {"origins": fields["origins"], "expires": fields["expires"] or "never"}
    if "has_scopes" in form:
        given["scopes"] = fields["scopes"]
    try:
        record = await key_changes.update(console, key_id, given)
    except web.HTTPBadRequest as error:
        return await _shown(request, await key_changes.get(console, key_id), given, error.text or "")
    return changed(request, f"/keys/{record.id}", f"Key {record.id} is changed.")


async def rotate(request: web.Request) -> web.Response:
    """Replace a key, and show the value of its successor."""
    console, key_id = console_of(request), request.match_info["id"]
    form = await request.post()
    grace = str(form.get("grace", ""))
    seconds = int(grace) if grace in dict(GRACES) else 0
    try:
        made = await key_changes.rotate(console, key_id, {"grace_seconds": seconds})
    except web.HTTPBadRequest as error:
        return await _shown(request, await key_changes.get(console, key_id), problem=error.text or "")
    return await _shown_made(request, made, key_id)


async def revoke(request: web.Request) -> web.Response:
    """Revoke a key."""
    record = await key_changes.revoke(console_of(request), request.match_info["id"])
    return changed(request, "/keys", f"Key {record.id} is revoked.")


ROUTES = [
    web.get("/keys", page),
    web.post("/keys", add),
    web.get("/keys/new", show_new),
    web.get("/keys/{id}", show),
    web.post("/keys/{id}", update),
    web.post("/keys/{id}/rotate", rotate),
    web.post("/keys/{id}/revoke", revoke),
    *keys_api.ROUTES,
]
