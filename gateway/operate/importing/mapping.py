"""From the names and texts of an export to the vendor's fields: a table in TOML or JSON. Pure, but for reading it."""

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import orjson

from gateway.dialect.decode import rewrite
from gateway.dialect.outcome import Fault
from gateway.operate.importing.conversions import TYPES
from gateway.operate.importing.found import Found, ImportProblem

MAX_MAP = 1024 * 1024
MAX_DEPTH = 20
"""How many dots a name may have."""
_MISSING = object()


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with dots in their names as objects in objects: `{"a.b": 1}` gives `{"a": {"b": 1}}`.

    A field whose place is taken by a value that is no object keeps its name with the dots.
    """
    found: dict[str, Any] = {}
    for name, value in fields.items():
        put(found, name, value)
    return found


def put(fields: dict[str, Any], name: str, value: object) -> None:
    """Put a value into an object, dots in its name being objects in objects."""
    if "." not in name:
        fields[name] = value
        return
    *steps, last = name.split(".", MAX_DEPTH)
    inner = fields
    for step in steps:
        each = inner.setdefault(step, {})
        if not isinstance(each, dict):
            fields[name] = value
            return
        inner = each
    inner[last] = value


@attrs.frozen
class Target:
    """Where a field goes, and what becomes of its value; without `to` it is left out."""

    to: str | None
    convert: Callable[[object], object] | None = None


@attrs.frozen
class FieldMap:
    """What the fields of an export are to the vendor: `fields` by their names there, and `constants` for all items.

    Fields that it does not name stay as they are, unless `others` is False.
    """

    fields: Mapping[str, Target] = attrs.field(factory=dict)
    constants: Mapping[str, object] = attrs.field(factory=dict)
    others: bool = True

    def applied(self, found: Found) -> Found:
        """Return an item as the vendor has it; with a fault if it is no object, or a value is not what the map says."""
        if found.fault is not None:
            return found
        try:
            fields = json.loads(found.text)
        except (ValueError, RecursionError):
            return found  # the dialect says why
        if not isinstance(fields, dict):
            return attrs.evolve(found, fault=Fault("not_an_object"))
        try:
            made = self._made(fields)
        except _BadValueError as bad:
            return attrs.evolve(found, fault=Fault("map", f"/{bad.name}", {"field": bad.to}))
        try:
            text = orjson.dumps(made)
        except (TypeError, ValueError, RecursionError):  # half a character, or an integer of more than 64 bits
            return attrs.evolve(found, text=rewrite(made), is_json=False)
        return attrs.evolve(found, text=text, is_json=True)

    def _made(self, fields: dict[str, Any]) -> dict[str, object]:
        """Return the vendor's fields, made of an export's, which are taken out of there. Raises _BadValueError."""
        made: dict[str, object] = {}
        for name, target in self.fields.items():
            value = _taken(fields, name)
            if value is _MISSING or target.to is None:
                continue
            if target.convert is not None and value is not None:
                try:
                    value = target.convert(value)
                except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
                    raise _BadValueError(name, target.to) from None
            put(made, target.to, value)
        if self.others:
            for name, value in fields.items():
                made.setdefault(name, value)
        for name, value in self.constants.items():
            put(made, name, value)
        return made


class _BadValueError(Exception):
    def __init__(self, name: str, to: str) -> None:
        super().__init__(name)
        self.name, self.to = name, to


def _taken(fields: dict[str, Any], name: str) -> object:
    """Take a field out of an object, by its name or by the names of the objects that it is in."""
    if name in fields:
        return fields.pop(name)
    *steps, last = name.split(".", MAX_DEPTH)
    inner: object = fields
    for step in steps:
        inner = inner.get(step) if isinstance(inner, dict) else None
    return inner.pop(last, _MISSING) if steps and isinstance(inner, dict) else _MISSING


def read_map(path: Path) -> FieldMap:
    """Return the map in a file. Raises ImportProblem in one line, and OSError."""
    with path.open("rb") as file:
        raw = file.read(MAX_MAP + 1)
    if len(raw) > MAX_MAP:
        raise ImportProblem(f"{path.name}: a map has at most {MAX_MAP} bytes")
    try:
        text = raw.decode("utf-8-sig")
        document = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # both errors are kinds of it
        raise ImportProblem(f"{path.name}: {error}") from None
    return map_of(document, path.name)


def map_of(document: object, name: str) -> FieldMap:
    """Return the map that a document says. Raises ImportProblem."""
    if not isinstance(document, dict) or document.keys() - {"fields", "constants", "others"}:
        raise ImportProblem(f"{name}: a map has the tables [fields] and [constants], and others = true or false")
    fields, constants, others = document.get("fields", {}), document.get("constants", {}), document.get("others", True)
    if not isinstance(fields, dict) or not isinstance(constants, dict) or not isinstance(others, bool):
        raise ImportProblem(f"{name}: [fields] and [constants] are tables, and others is true or false")
    targets = {str(each): _target(value, each, name) for each, value in fields.items()}
    return FieldMap(targets, constants, others)


def _target(value: object, field: str, name: str) -> Target:
    if value is False:
        return Target(None)
    if isinstance(value, str) and value:
        return Target(value)
    to = value.get("to", field) if isinstance(value, dict) and not value.keys() - {"to", "type"} else None
    kind = value.get("type", "") if isinstance(value, dict) else None
    if not isinstance(to, str) or not to or (kind and kind not in TYPES):
        raise ImportProblem(
            f'{name}: {field}: write the vendor\'s name, {{ to = "name", type = "..." }}, or false; '
            f"a type is one of {', '.join(TYPES)}"
        )
    return Target(to, TYPES[kind] if kind else None)
