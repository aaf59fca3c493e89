"""Checks of a dialect's JSON Schemas. JSON Schema ignores a keyword that it does not know: a typo lets all through."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it has no type information

from gateway.testing.check import Check, require
from gateway.testing.subject import Subject

VOCABULARIES = ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content")
"""Of JSON Schema 2020-12."""
ONE = frozenset(
    {
        *("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"),
        *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
    }
)
MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED = frozenset({"$defs", "definitions", "properties", "patternProperties", "dependentSchemas"})


def checks(subject: Subject) -> Iterator[Check]:
    """Yield a check for each schema, and one for all of them."""
    for name, schema in subject.installed.schemas.items():
        yield Check(f"schemas/{name} has no keyword that is unknown", partial(_known, name, schema.document))
        yield Check(f"schemas/{name} requires fields that it describes", partial(_described, name, schema.document))
    yield Check("schemas/each is the schema of a route", partial(_each_is_used, subject))


def _known(name: str, document: Any) -> None:
    known = {
        keyword
        for vocabulary in VOCABULARIES
        for keyword in REGISTRY.contents(f"https://json-schema.org/draft/2020-12/meta/{vocabulary}")["properties"]
    }
    for place, schema in _within(document, ""):
        unknown = sorted(keyword for keyword in schema if keyword not in known and not keyword.startswith("x-"))
        require(
            not unknown,
            f"{name}.json has {_listed(unknown)} at {place or '/'}, which JSON Schema does not know and so ignores",
            "correct the spelling; what is a note of your own begins with x-",
        )


def _described(name: str, document: Any) -> None:
    for place, schema in _within(document, ""):
        if "properties" not in schema or "additionalProperties" in schema:
            continue
        unknown = sorted(set(schema.get("required", [])) - schema["properties"].keys())
        require(
            not unknown,
            f"{name}.json requires {_listed(unknown)} at {place or '/'}, and its properties do not describe it",
            "correct the spelling, or describe the field in properties: {} is enough",
        )


def _each_is_used(subject: Subject) -> None:
    used = {schema for route in subject.installed.routes for schema in route.schemas}
    used |= {item.schema for sample in subject.samples for item in sample.submission.items}
    unused = sorted(subject.installed.schemas.keys() - used)
    require(
        not unused,
        f"no route says that its items have the schema {_listed(unused)}, and no sample's item has it",
        "name it in Route.schemas, or delete the file",
    )


def _within(schema: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each schema inside a schema, itself first, with its JSON pointer."""
    if not isinstance(schema, dict):  # `true` and `false` are schemas too
        return
    yield place, schema
    for keyword, value in schema.items():
        if keyword in ONE:
            yield from _within(value, f"{place}/{keyword}")
        elif keyword in MANY:
            for index, inner in enumerate(value):
                yield from _within(inner, f"{place}/{keyword}/{index}")
        elif keyword in NAMED:
            for key, inner in value.items():
                yield from _within(inner, f"{place}/{keyword}/{key}")


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
