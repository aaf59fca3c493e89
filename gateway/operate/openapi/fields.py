"""JSON Schemas as people read them: an object's fields as rows, and what a value may be in a few words. Pure.

It reads what the schemas of dialects have. What it does not know it leaves out: the document itself has everything.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

MAX_DEPTH = 6
"""Objects within objects: a schema may refer to itself."""
MAX_FIELDS = 500
MAX_VALUES = 12
"""Allowed values that are listed."""


@attrs.frozen
class Field:
    """A field of an object. `name` is its path, such as `batch[].userId`; `need` is "required", "one of" or empty."""

    name: str
    type: str
    need: str
    meaning: str


@attrs.frozen
class Form:
    """One form that a value may have."""

    title: str
    meaning: str
    fields: tuple[Field, ...]


def resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference within a document refers to; anything else is returned as it is."""
    for _ in range(MAX_DEPTH):
        target = schema.get("$ref")
        if not isinstance(target, str) or not target.startswith("#/"):
            return schema
        found: Any = document
        for step in target[2:].split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
        schema = found if isinstance(found, Mapping) else {}
    return schema


def shape_of(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return what a body is as a whole: `An array of at most 100 of these.`"""
    whole = resolved(document, schema)
    choices = [resolved(document, each) for each in whole.get("anyOf", ())]
    arrays = [each for each in choices if each.get("type") == "array"]
    if arrays and len(arrays) < len(choices):
        return f"One of these, or an array of{_count(arrays[0], 'Items', 'of')} these."
    if whole.get("type") == "array":
        return f"An array of{_count(whole, 'Items', 'of')} these."
    return "An object." if whole else "Anything: the dialect does not describe it."


def forms_of(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> tuple[Form, ...]:
    """Return the forms that a body, or each element of it, may have."""
    whole = resolved(document, schema)
    if depth > MAX_DEPTH:
        return ()
    if whole.get("type") == "array":
        return forms_of(document, whole.get("items", {}), depth + 1)
    if _has_choices(whole):
        found = [form for each in whole["anyOf"] for form in forms_of(document, each, depth + 1)]
        return tuple(dict.fromkeys(found))
    fields = tuple(list(_fields(document, whole, "", depth))[:MAX_FIELDS])
    parts = [resolved(document, each) for each in (whole, *whole.get("allOf", ()))]
    title = next((str(part["title"]) for part in parts if "title" in part), "")
    meaning = next((str(part["description"]) for part in parts if "description" in part), "")
    form = Form(title, meaning, _merged(fields))
    return ((form,) if fields or title or meaning else ()) + _elements(document, parts, depth)


def _has_choices(schema: Mapping[str, Any]) -> bool:
    """Return whether a value may be one of several things. Other schemas only say which fields go together."""
    choices = schema.get("anyOf", ())
    return bool(choices) and all("$ref" in each or "allOf" in each or each.get("type") == "array" for each in choices)


def _elements(document: Mapping[str, Any], parts: list[Mapping[str, Any]], depth: int) -> tuple[Form, ...]:
    """Return the forms of the elements of an object's arrays, where these have several."""
    found: list[Form] = []
    for part in parts:
        for name, each in part.get("properties", {}).items():
            items = resolved(document, each).get("items", {})
            if _has_choices(resolved(document, items)):
                found += [
                    attrs.evolve(form, title=f"{name}[]: {form.title}") for form in forms_of(document, items, depth + 1)
                ]
    return tuple(found)


def type_text(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return what a value may be: `string or null, at most 64 characters`."""
    whole = resolved(document, schema)
    if "const" in whole:
        return json.dumps(whole["const"], ensure_ascii=False)
    if "enum" in whole:
        values = [json.dumps(value, ensure_ascii=False) for value in whole["enum"][:MAX_VALUES]]
        return "one of " + ", ".join([*values, *(["..."] if len(whole["enum"]) > MAX_VALUES else [])])
    types = whole.get("type", ())
    names = [types] if isinstance(types, str) else list(types)
    said = " or ".join(names) or "any"
    units = (("Length", "characters"), ("Items", "elements"), ("Properties", "fields"))
    bounds = [_count(whole, what, unit) for what, unit in units]
    bounds += [f" from {whole['minimum']}" if "minimum" in whole else ""]
    bounds += [f" up to {whole['maximum']}" if "maximum" in whole else ""]
    return "".join([said, *[f",{bound}" for bound in bounds if bound]])


def _count(schema: Mapping[str, Any], what: str, unit: str) -> str:
    """Return the bounds of a length: ` 1 to 256 characters`; nothing without bounds."""
    low, high = schema.get(f"min{what}"), schema.get(f"max{what}")
    if high is None:
        return "" if not low else f" at least {low} {unit}"
    if low == high:
        return f" exactly {high} {unit if high != 1 else unit.removesuffix('s')}"
    return f" at most {high} {unit}" if not low else f" {low} to {high} {unit}"


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], prefix: str, depth: int) -> Iterator[Field]:
    if depth > MAX_DEPTH:
        return
    for part in schema.get("allOf", ()):
        yield from _fields(document, resolved(document, part), prefix, depth + 1)
    if "else" in schema:
        yield from _fields(document, resolved(document, schema["else"]), prefix, depth + 1)
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        yield from _field(document, f"{prefix}{name}", each, "required" if name in required else "", depth)
    for branch in schema.get("anyOf", ()):
        for name, each in branch.get("properties", {}).items():
            yield from _field(document, f"{prefix}{name}", each, "one of", depth)


def _field(document: Mapping[str, Any], name: str, schema: Mapping[str, Any], need: str, depth: int) -> Iterator[Field]:
    whole = resolved(document, schema)
    yield Field(name, type_text(document, schema), need, str(whole.get("description", "")))
    if whole.get("type") == "array":
        items = resolved(document, whole.get("items", {}))
        if not _has_choices(items):
            yield from _fields(document, items, f"{name}[].", depth + 1)
    else:
        yield from _fields(document, whole, f"{name}.", depth + 1)


def _merged(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return fields by name: what is said twice is said once, and a field that several forms have is of the first."""
    found: dict[str, Field] = {}
    for field in fields:
        first = found.get(field.name)
        if first is None:
            found[field.name] = field
        else:
            found[field.name] = attrs.evolve(
                first, need=first.need or field.need, meaning=first.meaning or field.meaning
            )
    return tuple(found.values())
