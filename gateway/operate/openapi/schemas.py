"""JSON Schemas inside an OpenAPI document: their names, and references that stay within the document. Pure."""

from collections.abc import Mapping
from typing import Any

from gateway.dialect.contract import Dialect
from gateway.dialect.description import JsonSchema
from gateway.dialect.refusals import default_refuse
from gateway.ingest.registry import Installed

REFUSAL = "Refusal"
"""The component that is the schema of a dialect's errors. The schemas of items have the names of their files."""

_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas", "definitions"})
"""Keywords whose value has schemas under names of any kind: a property may be called `$ref`."""
_VALUES = frozenset({"const", "enum", "default", "example", "examples"})
"""Keywords whose value is no schema."""

_DEFAULT: JsonSchema = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def reference(name: str) -> dict[str, Any]:
    """Return a reference to a component: `{"$ref": "#/components/schemas/track"}`."""
    return {"$ref": f"#/components/schemas/{name}"}


def components(installed: Installed, names: set[str]) -> dict[str, Any]:
    """Return the schemas of these names, and the one of the dialect's errors if it has one."""
    found: dict[str, Any] = {name: component(name, installed.schemas[name].document) for name in sorted(names)}
    error = error_of(installed.dialect)
    if error is not None:
        found[REFUSAL] = dict(error)
    return found


def error_of(dialect: Dialect) -> JsonSchema | None:
    """Return the schema of a dialect's errors: what it says, or that of the gateway's own errors if it uses these."""
    return _DEFAULT if dialect.error is None and dialect.refuse is default_refuse else dialect.error


def component(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema as a component of this name: what it refers to in itself is referred to there.

    `{"$ref": "#/$defs/text"}` of the schema `track` becomes `{"$ref": "#/components/schemas/track/$defs/text"}`. Its
    `$schema` is that of OpenAPI 3.1 anyway, and its `$id` would make references relative to it.
    """
    own = {key: value for key, value in document.items() if key not in ("$schema", "$id")}
    place, base = f"#/components/schemas/{name}", document.get("$id", "")
    moved: dict[str, Any] = _moved(own, place, str(base).removesuffix("#"))
    return moved


def _moved(schema: Any, place: str, base: str) -> Any:
    if isinstance(schema, list):
        return [_moved(each, place, base) for each in schema]
    if not isinstance(schema, dict):
        return schema
    moved: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str):
            own = value.removeprefix(base) if base else value
            moved[key] = place + own[1:] if own.startswith("#") else value
        elif key in _BY_NAME and isinstance(value, dict):
            moved[key] = {name: _moved(each, place, base) for name, each in value.items()}
        else:
            moved[key] = value if key in _VALUES else _moved(value, place, base)
    return moved
