"""The HTTP surface as an OpenAPI description, made from the installed dialects' routes so that it cannot go stale.

`python -m tests.fuzz.api` writes `openapi.json` anew. Bodies are described by examples out of the corpus and are
otherwise free: what is sent is to be anything at all.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.dialect import Dialect
from gateway.ingest.registry import discover
from tests.kit.cases import body_of, load

FILE = Path(__file__).parent / "openapi.json"
VALUES = {
    "databuddy": "dbdy_" + "5" * 48,
    "appizer": "ak_" + "6" * 48,
    "tranthor": "trn_" + "7" * 48,
    "browsee": "8" * 48,
}
"""The credentials that the gateway under test is given, so that part of what is sent gets past the door."""

AUTHORIZATION = {"databuddy": "Bearer {}", "appizer": "Bearer {}", "tranthor": "Basic {}"}
EXAMPLES = 6
FREE: dict[str, Any] = {}
OWN = ("/-/healthy", "/-/ready", "/-/metrics")


def document() -> dict[str, Any]:
    """Return the description of every path that is served, under its vendor's and the mounts' names."""
    paths: dict[str, dict[str, Any]] = {path: {"get": _operation("own", path)} for path in OWN}
    for dialect in discover():
        switches = frozenset(switch.name for switch in dialect.switches)
        for route in dialect.routes_for(switches):
            for path in (*route.paths, *(f"/{dialect.name}{path}" for path in route.paths)):
                paths.setdefault(path, {})[route.method.lower()] = _ingestion(dialect, route.method, path)
        for fixed in dialect.static_routes:
            for path in fixed.paths:
                paths.setdefault(path, {})[fixed.method.lower()] = _operation(dialect.name, path)
    return {
        "openapi": "3.0.3",
        "info": {"title": "The gateway's HTTP surface, for fuzzing", "version": "1"},
        "paths": {path: paths[path] for path in sorted(paths)},
    }


def _operation(owner: str, path: str) -> dict[str, Any]:
    return {"tags": [owner], "operationId": f"{owner} {path}", "responses": {"default": {"description": "anything"}}}


def _ingestion(dialect: Dialect, method: str, path: str) -> dict[str, Any]:
    operation = _operation(dialect.name, path)
    shown = AUTHORIZATION.get(dialect.name)
    known = [shown.format(VALUES[dialect.name])] if shown else []
    operation["parameters"] = [
        _header("Authorization", {"anyOf": [{"type": "string", "enum": known}, FREE]} if known else FREE, known),
        _header("Content-Encoding", {"type": "string", "enum": ["identity", "gzip", "deflate", "br", "gzip, gzip"]}),
        _header("Idempotency-Key", {"type": "string", "maxLength": 300}),
        _header("Origin", {"type": "string"}),
        _query("website_id"),
        _query("properties"),
    ]
    if method == "POST":
        media = {"schema": FREE, "examples": _examples(dialect.name, path.removeprefix(f"/{dialect.name}"))}
        operation["requestBody"] = {"content": {"application/json": media}}
    return operation


def _header(name: str, schema: dict[str, Any], known: Sequence[str] = ()) -> dict[str, Any]:
    described: dict[str, Any] = {"name": name, "in": "header", "required": bool(known), "schema": schema}
    return {**described, "example": known[0]} if known else described


def _query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string"}}


def _examples(dialect: str, path: str) -> dict[str, Any]:
    """Return bodies that the corpus sends to a path, with a key that the gateway under test knows."""
    found: dict[str, Any] = {}
    for case in load():
        for step in case.document["steps"]:
            request = step["request"]
            small = "json" in request and len(body_of(request)) < 1500
            if case.dialect == dialect and request["path"].partition("?")[0] == path and small:
                body = request["json"]
                if isinstance(body, dict) and "apiKey" in body:
                    body = {**body, "apiKey": VALUES[dialect]}
                found[case.name] = {"value": body}
    return dict(list(found.items())[:EXAMPLES])


def text() -> str:
    """Return the description as the file holds it."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
