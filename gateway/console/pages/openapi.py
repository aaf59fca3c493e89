"""The page API: what each dialect takes and answers, to read here, and as the document for programs."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.config.errors import did_you_mean
from gateway.config.serving import router
from gateway.console.context import Console
from gateway.console.page import console_of, json_answer, not_found, render
from gateway.operate.openapi.document import document
from gateway.operate.openapi.readable import endpoints

_TEXT = {"type": "string"}
_DIALECT = {
    "type": "object",
    "required": ["name", "title", "endpoints", "document"],
    "additionalProperties": False,
    "properties": {
        "name": _TEXT,
        "title": _TEXT,
        "endpoints": {"type": "integer"},
        "document": {"type": "string", "description": "The path of its OpenAPI document, on this console."},
    },
}
_LIST = {
    "type": "object",
    "required": ["url", "dialects"],
    "additionalProperties": False,
    "properties": {"url": _TEXT, "dialects": {"type": "array", "items": _DIALECT}},
}
_DOCUMENT = {
    "type": "object",
    "required": ["openapi", "info", "servers", "paths", "components"],
    "properties": {"openapi": {"const": "3.1.0"}, "paths": {"type": "object"}},
}
OPERATIONS: Mapping[str, object] = {
    "/api/openapi": {
        "get": {
            "summary": "The dialects that are served.",
            "responses": {
                "200": {
                    "description": "What the page API lists.",
                    "content": {"application/json": {"schema": _LIST}},
                }
            },
        }
    },
    "/api/openapi/{dialect}": {
        "get": {
            "summary": "The OpenAPI document of a dialect, as `gateway openapi` prints it.",
            "parameters": [{"name": "dialect", "in": "path", "required": True, "schema": _TEXT}],
            "responses": {
                "200": {
                    "description": "An OpenAPI 3.1 document.",
                    "content": {"application/json": {"schema": _DOCUMENT}},
                }
            },
        }
    },
}


async def facts(request: web.Request) -> dict[str, Any]:
    """Return what the list shows, and what /api/openapi answers."""
    console = console_of(request)
    dialects = [
        {
            "name": name,
            "title": installed.dialect.title,
            "endpoints": len(installed.routes) + len(installed.dialect.static_routes),
            "document": f"/api/openapi/{name}",
        }
        for name, installed in console.installed.items()
    ]
    return {"url": console.public_url, "dialects": dialects}


def document_of(console: Console, name: str) -> dict[str, Any]:
    """Return the document of a dialect, as this configuration serves it. Raises HTTPNotFound."""
    installed = console.installed.get(name)
    if installed is None:
        raise not_found(f"there is no dialect {name[:40]!r}; {did_you_mean(name[:40], console.installed)}")
    hosts = [host for host, owner in console.config.hosts.items() if owner == name]
    return document(installed, router(console.config, console.installed.values()), console.public_url, hosts)


async def page(request: web.Request) -> web.Response:
    """Answer with the list of dialects."""
    return await render(request, "openapi.html", await facts(request))


async def dialect_page(request: web.Request) -> web.Response:
    """Answer with the page of a dialect."""
    name = request.match_info["dialect"]
    found = document_of(console_of(request), name)
    shown = {"name": name, "document": found, "endpoints": endpoints(found)}
    return await render(request, "openapi_dialect.html", shown)


async def api(request: web.Request) -> web.Response:
    """Answer with the list as JSON."""
    return json_answer(await facts(request))


async def dialect_api(request: web.Request) -> web.Response:
    """Answer with the document of a dialect."""
    return json_answer(document_of(console_of(request), request.match_info["dialect"]))


ROUTES = [
    web.get("/openapi", page),
    web.get("/openapi/{dialect}", dialect_page),
    web.get("/api/openapi", api),
    web.get("/api/openapi/{dialect}", dialect_api),
]
