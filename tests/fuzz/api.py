"""What schemathesis is told of the HTTP surface: the documents of all dialects as one, with credentials that are known.

The documents are those that `gateway openapi` prints. Each dialect's paths stand under its mount, where no other one
answers them. In the place of security schemes stand parameters, so that part of what is sent gets past the door, and
part does not. schemathesis tries each field of a body and each parameter; of a dialect's fields with one schema one is
enough, one path of a route is, and one route for the headers that all routes read.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.dialect import CredentialKind, Dialect
from gateway.dialect.description import CredentialPlace
from tests.kit.endpoints import key_of
from tests.kit.of_dialects import subjects

FREE: dict[str, Any] = {}
METHODS = ("get", "post")
ALTERNATIVES = 2
"""How many types of entries are tried in a batch: their own routes try them all."""
OWN = ("/-/healthy", "/-/ready", "/-/metrics")
"""The gateway's own paths, which no dialect's document has."""


def merged(documents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return one document of those of several dialects, by name, and of the gateway's own paths."""
    anything = {"responses": {"200": {"description": "anything"}}, "parameters": [_header("Origin"), _query("q")]}
    paths: dict[str, Any] = {path: {"get": anything} for path in OWN}
    components: dict[str, Any] = {}
    for dialect, document in documents.items():
        own = _renamed(dialect, document)
        for kind in ("parameters", "responses", "schemas"):
            named = {f"{dialect}.{name}": each for name, each in own["components"].get(kind, {}).items()}
            components.setdefault(kind, {}).update(named)
        fields: set[str] = set()
        for name, schema in own["components"]["schemas"].items():
            if name != "Refusal":
                _with_fewer_fields(schema, fields)
        seen: set[str] = set()
        for path, item in own["paths"].items():
            for method in METHODS:
                route = item.get(method, {}).get("operationId", "").removesuffix("_2")
                if route and route not in seen:
                    seen.add(route)
                    is_first = len(seen) == 1
                    paths.setdefault(f"/{dialect}{path}", {})[method] = _opened(dialect, item[method], is_first)
    info = {"title": "All dialects", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}


def _renamed(dialect: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose components have the dialect in their names."""
    text = json.dumps(document)
    for kind in ("parameters", "responses", "schemas"):
        text = text.replace(f"#/components/{kind}/", f"#/components/{kind}/{dialect}.")
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def _opened(dialect: str, operation: dict[str, Any], is_first: bool) -> dict[str, Any]:
    """Return an operation with known credentials. Only a dialect's first one has the headers that all routes read."""
    operation.pop("security", None)
    own = [each for each in operation.get("parameters", ()) if is_first or "$ref" not in each]
    operation["parameters"] = [*own, _header("Origin"), _query("q")] if is_first else own
    for kind, place in shown(subjects()[dialect].dialect):
        value = key_of(kind)
        if place.where == "header":
            header = f"{place.scheme} {value}" if place.scheme else value
            operation["parameters"].append(_credential("header", place.name, header, required=not kind.public))
        if place.where == "query":
            operation["parameters"].append(_credential("query", place.name, value))
        if place.where == "body":
            _show_in_body(operation, place.name, value)
    for media in operation.get("requestBody", {}).get("content", {}).values():
        _with_fewer_alternatives(media["schema"])
    return operation


def shown(dialect: Dialect) -> Iterator[tuple[CredentialKind, CredentialPlace]]:
    """Yield the kinds of credentials that the gateway under test knows, each with the place where it is shown.

    They are the first one, in Authorization if it may stand there, and sites in the query: some routes need one.
    """
    first, *others = dialect.kinds
    yield first, next((each for each in first.places if each.name == "Authorization"), first.places[0])
    for kind in others:
        place = next((each for each in kind.places if each.where == "query"), None)
        if kind.is_site and place is not None:
            yield kind, place


def _show_in_body(operation: dict[str, Any], name: str, value: str) -> None:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        for example in media.get("examples", {}).values():
            if isinstance(example["value"], dict) and name in example["value"]:
                example["value"][name] = value
        for part in media["schema"].get("allOf", ()):
            if name in part.get("properties", {}):
                part["properties"][name] = {"enum": [value]}


def _with_fewer_alternatives(schema: Any) -> None:
    if isinstance(schema, dict):
        if "anyOf" in schema:
            schema["anyOf"] = schema["anyOf"][:ALTERNATIVES]
        for each in schema.values():
            _with_fewer_alternatives(each)


def _with_fewer_fields(schema: Any, seen: set[str]) -> None:
    """Leave of the fields with one schema the first, and all that are required. `seen` are the schemas so far."""
    if isinstance(schema, list):
        for each in schema:
            _with_fewer_fields(each, seen)
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            required, left = schema.get("required", ()), {}
            for name, each in schema["properties"].items():
                text = json.dumps(each)
                if name in required or text not in seen:
                    left[name] = each
                seen.add(text)
            schema["properties"] = left
        for each in schema.values():
            _with_fewer_fields(each, seen)


def _credential(where: str, name: str, value: str, *, required: bool = False) -> dict[str, Any]:
    free = FREE if required else {"type": "string"}
    schema = {"anyOf": [{"enum": [value]}, free]}
    return {"name": name, "in": where, "required": required, "schema": schema, "example": value}


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string"}}


def _query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string"}}
