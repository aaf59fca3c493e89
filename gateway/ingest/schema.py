"""Loads a dialect's JSON Schemas, compiles them, and explains faults. The only importer of jsonschema.

A fast validator (jsonschema-rs) accepts; a slower one (jsonschema) explains rejections and decides in doubt. A property
test checks that both agree on every schema.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from typing import Any

import attrs
import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from gateway.dialect.decode import escape
from gateway.dialect.outcome import Fault
from gateway.dialect.toolkit import json_type

MAX_FAULTS = 10  # that are explained per request: the explaining validator is a hundred times slower

_LIMITS = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "maxProperties"})


class BrokenSchema(Exception):
    """A schema that cannot be used; the message says which one and why."""


@attrs.frozen
class Schema:
    """One JSON Schema, compiled."""

    name: str
    document: Mapping[str, Any]
    _compiled: Callable[[object], bool]
    _authority: Draft202012Validator

    def is_valid(self, value: object) -> bool:
        """Return whether a decoded value meets the schema; always False for some values with flaws (see decode.py)."""
        try:
            return self._compiled(value)
        except ValueError:
            return False

    def explain(self, value: object, most: int = MAX_FAULTS) -> tuple[Fault, ...]:
        """Return why a value does not meet the schema: at most `most` faults, in the order of the schema."""
        faults: list[Fault] = []
        for error in self._authority.iter_errors(value):
            faults.extend([fault for fault in _faults(error) if fault not in faults])
            if len(faults) >= most:
                break
        return tuple(faults[:most])


def load(package: str) -> dict[str, Schema]:
    """Return the schemas in a package by file name without `.json`. Raises BrokenSchema."""
    try:
        files = sorted(resources.files(package).iterdir(), key=lambda file: file.name)
    except ModuleNotFoundError:
        raise BrokenSchema(f"no package {package} with JSON Schemas is installed") from None
    found = [file for file in files if file.name.endswith(".json")]
    return {file.name.removesuffix(".json"): build(file.name, file.read_text("utf-8")) for file in found}


def build(name: str, text: str) -> Schema:
    """Return one schema from its JSON text. Raises BrokenSchema."""
    try:
        document = json.loads(text)
        compiled = _compile(document, has_patterns='"pattern' in text)
    except (ValueError, SchemaError) as error:
        raise BrokenSchema(f"{name}: {str(error).splitlines()[0]}") from None
    return Schema(name.removesuffix(".json"), document, compiled.is_valid, Draft202012Validator(document))


def _compile(document: dict[str, Any], *, has_patterns: bool) -> jsonschema_rs.Draft202012Validator:
    """Return the compiled check of a schema. Raises SchemaError or ValueError if the schema is broken.

    Compiling checks a schema against the metaschema too, thirty times faster than `check_schema`. That is still called
    to explain an error, and for schemas with regular expressions, some of which only Rust accepts.
    """
    try:
        compiled = jsonschema_rs.Draft202012Validator(document, validate_formats=False)
    except ValueError:
        Draft202012Validator.check_schema(document)
        raise
    if has_patterns:
        Draft202012Validator.check_schema(document)
    return compiled


def _faults(error: ValidationError) -> Iterator[Fault]:
    pointer = "".join([f"/{escape(str(step))}" for step in error.absolute_path])
    keyword = str(error.validator)
    asked: Any = error.validator_value
    instance: Any = error.instance
    if keyword == "required":
        for name in asked:
            if name not in instance:
                yield Fault("required", f"{pointer}/{escape(name)}")
    elif keyword == "type":
        expected, received = _expected(asked), json_type(instance)
        yield Fault("type", pointer, {"expected": expected, "received": received})
    elif keyword in _LIMITS:
        yield Fault(keyword, pointer, {"limit": asked})
    elif keyword in ("anyOf", "oneOf"):
        branches = [[_facts(fault) for inner in branch for fault in _faults(inner)] for branch in _branches(error)]
        yield Fault(keyword, pointer, {"branches": branches})
    elif keyword in ("enum", "const"):
        yield Fault(keyword, pointer, {"allowed": asked})
    else:
        yield Fault(keyword, pointer)


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    return list(branches.values())


def _facts(fault: Fault) -> dict[str, object]:
    return {"code": fault.code, "pointer": fault.pointer, **fault.detail}


def _expected(types: str | list[str]) -> str:
    """Return the type that a client should have sent, without `null`, which only makes a field optional."""
    if isinstance(types, str):
        return types
    return " or ".join(name for name in types if name != "null")
