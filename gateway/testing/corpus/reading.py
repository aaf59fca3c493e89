"""Reads the files of a corpus. What is no case is a Failure that names the file and the place in it."""

import functools
import json
import os
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema_rs import Draft202012Validator as FastValidator

from gateway.dialect.flaws import pointer
from gateway.keys.origins import origin_of
from gateway.testing.check import fail
from gateway.testing.corpus.sendable import unsendable

FORMAT = "docs/corpus.md has the format"
ENDING = ".json"
LONGEST = 300  # characters of what is wrong


def read_case(file: Path) -> dict[str, Any]:
    """Return a case as its file has it. Raises Failure."""
    case: dict[str, Any] = _checked(file, "case.schema.json")
    for place, wrong, remedy in unsendable(case):
        fail(f"{file}: {place}: {wrong}", f"{remedy}; {FORMAT}")
    return case


def read_credentials(file: Path) -> list[dict[str, Any]]:
    """Return the credentials of a corpus; none if it has no such file. Raises Failure."""
    written: list[dict[str, Any]] = _checked(file, "credentials.schema.json") if os.path.lexists(file) else []
    for number, each in enumerate(written):
        origins = each.get("origins", ())
        each |= {"origins": [_origin(file, f"/{number}/origins/{at}", text) for at, text in enumerate(origins)]}
    return written


def _origin(file: Path, place: str, text: str) -> str:
    """Return an allowed origin in the form in which `gateway keys` keeps it."""
    try:
        return origin_of(text)
    except ValueError as error:
        fail(f"{file}: {place}: {error}", f"write it as for `gateway keys add --origin`; {FORMAT}")


def _checked(file: Path, schema: str) -> Any:
    value = _json(file)
    is_valid, validator = _validators(schema)
    if not _is_valid(is_valid, value):
        errors = list(validator.iter_errors(value))
        # A key that is spelled wrong is a missing one too, and that would say less.
        unknown = [each for each in errors if each.validator == "additionalProperties"]
        error = unknown[0] if unknown else best_match(errors)
        if error is not None:
            fail(f"{file}: {pointer(error.absolute_path) or 'the whole file'}: {_reason(error)}", f"mend it; {FORMAT}")
    return value


def _is_valid(is_valid: Callable[[Any], bool], value: Any) -> bool:
    """Return whether a value is surely valid. The compiled check takes no half of an emoji."""
    try:
        return is_valid(value)
    except UnicodeEncodeError:
        return False


@functools.cache
def _validators(name: str) -> tuple[Callable[[Any], bool], Draft202012Validator]:
    """Return the compiled check of a schema, and the slow one that says why. They take milliseconds to make."""
    schema = json.loads(resources.files("gateway.testing.corpus").joinpath(name).read_text("utf-8"))
    return FastValidator(schema).is_valid, Draft202012Validator(schema)


def _json(file: Path) -> Any:
    try:
        if file.exists() and not file.is_file():  # to open a pipe would wait for somebody who writes to it
            fail(f"{file}: it is no file", "put a file of JSON there, or take it away")
        text = file.read_text("utf-8")
    except OSError as error:
        fail(f"{file}: it cannot be read: {error.strerror}", "make it a file that you may read")
    except UnicodeDecodeError as error:
        fail(f"{file}: byte {error.start} is not UTF-8", "save it in UTF-8")
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        fail(f"{file}: line {error.lineno}, column {error.colno}: {error.msg}", "mend the JSON there")
    except (ValueError, RecursionError) as error:
        fail(f"{file}: {error}", "mend the JSON there")


def _members(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"an object has {name!r} twice; a body that has is written as text")
        members[name] = value
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON; a body that has it is written as text")


def _reason(error: ValidationError) -> str:
    instance: Any = error.instance
    if error.validator == "additionalProperties" and isinstance(error.schema, dict):
        known = error.schema.get("properties", {})
        unknown = [repr(name) for name in instance if name not in known]
        return f"{', '.join(unknown)} is no key of it; there are {', '.join(known)}"[:LONGEST]
    if error.validator is None:  # a schema that is False: see one_body
        return "a body is written in one way only: json, text, base64 or repeat"
    return " ".join(error.message.split())[:LONGEST]


def case_files(folder: Path) -> list[Path]:
    """Return the files of a folder that are cases, by name. Raises Failure on what only looks like one.

    Names that begin with `_` or `.`, and those of other endings, are not looked at.
    """
    try:
        found = sorted(each for each in folder.iterdir() if not each.name.startswith(("_", ".")))
    except OSError as error:
        fail(f"{folder}: it cannot be read: {error.strerror}", "make it a folder that you may read")
    for each in found:
        if each.suffix != ENDING and each.suffix.lower() == ENDING:
            fail(f"{each}: no case ends in {each.suffix}", f"rename it: {each.stem}{ENDING}")
        if each.suffix != ENDING and each.is_dir() and any(each.rglob(f"*{ENDING}")):
            fail(f"{each}: no case lies in a folder of its own", f"move its files into {folder}; {FORMAT}")
    return [each for each in found if each.suffix == ENDING]
