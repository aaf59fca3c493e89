"""Loads a dialect's JSON Schemas, compiles them, and explains faults. The only importer of jsonschema.

A fast validator (jsonschema-rs) accepts; a slower one (jsonschema) explains rejections and decides in doubt. A property
test checks that both agree on every schema.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from importlib import resources
from itertools import islice
from typing import Any

import attrs
import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from gateway.dialect.flaws import escape, pointer
from gateway.dialect.outcome import Fault
from gateway.dialect.toolkit import json_type

MAX_FAULTS = 10  # that are explained per request: the explaining validator is a hundred times slower

MAX_STEPS = 300  # of one explanation: checks of a keyword against a value, 30 us each; our schemas take under 100
LONG = 100  # characters of a text that is no longer written into a message

_LIMITS = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "maxProperties"})


_Keyword = Callable[[Any, Any, Any, Any], Any]


class BrokenSchema(Exception):
    """A schema that cannot be used; the message says which one and why."""


class _Spent(Exception):
    """An explanation has had all of its steps."""


class _Short:
    """Written as `...`. jsonschema writes values into messages that nobody reads here, and strangers' may be large."""

    def __repr__(self) -> str:
        return "..."


class _Text(_Short, str): ...


class _Array(_Short, list[Any]): ...


class _Object(_Short, dict[str, Any]): ...


@attrs.define
class _Budget:
    """What is left of one explanation. `short` has the copies of values that were looked at, by their id."""

    steps: int
    short: dict[int, object] = attrs.field(factory=dict)

    def spend(self, instance: object) -> object:
        """Take a step off, and return a value that is short in messages: itself, or a shallow copy made only once."""
        self.steps -= 1
        if self.steps < 0:
            raise _Spent
        kind = _KINDS.get(type(instance))
        if kind is None or (kind is _Text and len(instance) <= LONG):  # type: ignore[arg-type]  # it is a str
            return instance
        found = self.short.get(id(instance))
        if found is None:
            found = self.short[id(instance)] = kind(instance)
        return found


_KINDS: Mapping[type, Callable[[Any], object]] = {str: _Text, list: _Array, dict: _Object}
_budget: ContextVar[_Budget] = ContextVar("budget")


def _bounded(keyword: _Keyword) -> _Keyword:
    """Return the check of a keyword, jsonschema's own, that takes a step off its explanation."""

    def check(validator: Any, asked: Any, instance: Any, schema: Any) -> Any:
        return keyword(validator, asked, _budget.get().spend(instance), schema)

    return check


_Authority: Any = extend(  # type: ignore[no-untyped-call]  # it has no type information
    Draft202012Validator, {name: _bounded(keyword) for name, keyword in Draft202012Validator.VALIDATORS.items()}
)


@attrs.frozen
class Schema:
    """One JSON Schema, compiled."""

    name: str
    document: Mapping[str, Any]
    _compiled: Callable[[object], bool]
    _authority: Any

    def is_valid(self, value: object) -> bool:
        """Return whether a decoded value meets the schema; always False for some values with flaws (see decode.py)."""
        try:
            return self._compiled(value)
        except ValueError:
            return False

    def explain(self, value: object, most: int = MAX_FAULTS) -> tuple[Fault, ...]:
        """Return why a value does not meet the schema: at most `most` faults, in the order of the schema.

        There are fewer, or even none, if the explanation takes more than MAX_STEPS.
        """
        faults: list[Fault] = []
        token = _budget.set(_Budget(MAX_STEPS))
        try:
            for error in self._authority.iter_errors(value):
                faults.extend([fault for fault in islice(_faults(error), most) if fault not in faults])
                if len(faults) >= most:
                    break
        except _Spent:
            pass
        finally:
            _budget.reset(token)
        return tuple(faults[:most])


def of_stamped(schema: Schema, stamped: frozenset[str]) -> Schema:
    """Return the canonical schema with a fast check that leaves out what `stamped` (dialect/event.py) makes certain.

    That is half of its work, for each event: that no field is missing and none is there beside them, and the fields of
    these names. It explains as the whole schema does.
    """
    properties = {name: rules for name, rules in schema.document["properties"].items() if name not in stamped}
    document = {**schema.document, "properties": properties, "required": [], "additionalProperties": True}
    return attrs.evolve(schema, compiled=_compile(document, has_patterns=False).is_valid)


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
    return Schema(name.removesuffix(".json"), document, compiled.is_valid, _authority_of(document))


def _compile(document: dict[str, Any], *, has_patterns: bool) -> jsonschema_rs.Draft202012Validator:
    """Return the compiled check of a schema. Raises SchemaError or ValueError if the schema is broken.

    Compiling checks a schema against the metaschema too, thirty times faster than `check_schema`. That is still called
    to explain an error, and where Python does not accept a regular expression that Rust accepts.
    """
    try:
        compiled = jsonschema_rs.Draft202012Validator(document, validate_formats=False)
    except ValueError:
        Draft202012Validator.check_schema(document)
        raise
    if has_patterns and not all(map(_is_regular_expression, _patterns(document))):
        Draft202012Validator.check_schema(document)
    return compiled


def _patterns(schema: object) -> Iterator[str]:
    """Yield the regular expressions anywhere in a schema, and perhaps a value of `const` that looks like one."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name == "pattern" and isinstance(value, str):
                yield value
            elif name == "patternProperties" and isinstance(value, dict):
                yield from value
            yield from _patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _patterns(value)


def _is_regular_expression(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _authority_of(document: Mapping[str, Any]) -> Any:
    """Return the explaining validator. For a `$schema` jsonschema would take its own, without bounds: it sees none."""
    return _Authority({name: value for name, value in document.items() if name != "$schema"})


def _faults(error: ValidationError) -> Iterator[Fault]:
    place = pointer(error.absolute_path)
    keyword = str(error.validator)
    asked: Any = error.validator_value
    instance: Any = error.instance
    if keyword == "required":
        for name in asked:
            if name not in instance:
                yield Fault("required", f"{place}/{escape(name)}")
    elif keyword == "type":
        expected, received = _expected(asked), json_type(instance)
        yield Fault("type", place, {"expected": expected, "received": received})
    elif keyword in _LIMITS:
        yield Fault(keyword, place, {"limit": asked})
    elif keyword in ("anyOf", "oneOf"):
        branches = [list(islice(_facts_of(branch), MAX_FAULTS)) for branch in _branches(error)[:MAX_FAULTS]]
        yield Fault(keyword, place, {"branches": branches})
    elif keyword in ("enum", "const"):
        yield Fault(keyword, place, {"allowed": asked})
    else:
        yield Fault(keyword, place)


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    return list(branches.values())


def _facts_of(errors: list[ValidationError]) -> Iterator[dict[str, object]]:
    for error in errors:
        for fault in _faults(error):
            yield {"code": fault.code, "pointer": fault.pointer, **fault.detail}


def _expected(types: str | list[str]) -> str:
    """Return the type that a client should have sent, without `null`, which only makes a field optional."""
    if isinstance(types, str):
        return types
    return " or ".join(name for name in types if name != "null")
