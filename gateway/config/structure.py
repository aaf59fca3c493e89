"""A document (nested dicts, as TOML gives them) to settings, and everything that is wrong in it. Pure."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import attrs
import cattrs
from cattrs import AttributeValidationNote, ForbiddenExtraKeysError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from gateway.config.errors import SettingError, did_you_mean
from gateway.config.renamed import as_written, current_names, set_twice
from gateway.config.setting import about, settings_of
from gateway.config.settings import (
    DialectSettings,
    LimitSettings,
    LogSettings,
    ProjectSettings,
    ServerSettings,
    StorageSettings,
)
from gateway.config.tree import Config
from gateway.config.values import address_policy, addresses, names, networks, shown, strictly
from gateway.http.client_address import Network
from gateway.ingest.clients.address_policy import IpPolicy
from gateway.keys.origins import host_of

TABLES_BY_NAME = ("dialects", "limits", "projects")
"""The tables that hold a table for each name."""


def structure(document: Mapping[str, Any]) -> tuple[Config, tuple[SettingError, ...]]:
    """Return a document's settings, and every error in it.

    A setting with an error has its default, or its example, so that a caller can go on and check all others.
    """
    known = settings_of(Config)
    tables: dict[str, Any] = {}
    wrong: list[SettingError] = []
    for name, table in current_names(document).items():
        if name not in known:
            wrong.append(SettingError((name,), f"unknown key; {did_you_mean(name, known)}"))
            continue
        wrong += _not_tables(name, table)
        if not isinstance(table, dict):
            continue
        if name in TABLES_BY_NAME:
            table = {key: value for key, value in table.items() if isinstance(value, dict)}
        wrong += _not_switches(table) if name == "dialects" else ()
        kind = known[name].type or object
        try:
            tables[name] = _converter.structure(table, kind)
        except Exception as error:  # cattrs raises whatever a hook or a validator raised
            found = list(_problems(error, (name,)))
            wrong += (as_written(each, document) for each in found)
            tables[name] = _converter.structure(_mended(name, table, found), kind)
    config = Config(**tables)
    return config, (*wrong, *set_twice(document), *_of_hosts(config.hosts))


def _mended(name: str, table: Mapping[str, Any], errors: Iterable[SettingError]) -> dict[str, Any]:
    """Return a table without what is wrong in it. `requests`, which has no default, gets its example."""
    mended = copy.deepcopy(dict(table))
    for each in errors:
        *steps, key = each.path[1:]
        inner = mended
        for step in steps:
            inner = inner[step]
        inner.pop(key, None)
    if name == "limits":
        for inner in mended.values():
            inner.setdefault("requests", about(settings_of(LimitSettings)["requests"]).example)
    return mended


def _not_tables(name: str, table: object) -> Iterator[SettingError]:
    """Yield an error for each value that should be a table: the table itself, and in some each value in it."""
    inner = table.items() if isinstance(table, dict) and name in TABLES_BY_NAME else ()
    for path, value in [((name,), table), *[((name, key), value) for key, value in inner]]:
        if not isinstance(value, dict):
            yield SettingError(path, f"must be a table; write [{'.'.join(path)}] and its settings below")


def _not_switches(dialects: Mapping[str, Mapping[str, object]]) -> Iterator[SettingError]:
    known = settings_of(DialectSettings)
    for name, table in dialects.items():
        for key, value in table.items():
            if key in known or isinstance(value, bool):
                continue
            if get_close_matches(key, known, 1):
                problem = f"unknown key; {did_you_mean(key, known)}"
            else:
                problem = f"must be true or false, not {shown(value)}; a dialect's own settings are switches"
            yield SettingError(("dialects", name, key), problem)


def _of_hosts(hosts: Iterable[str]) -> Iterator[SettingError]:
    for host in hosts:
        try:
            name = host_of(host)
        except ValueError as error:
            yield SettingError(("hosts", host), str(error))
            continue
        if name != host.lower().removesuffix(".") and not host.startswith("["):
            yield SettingError(("hosts", host), f"must be only a host name; write {name!r}")


def _problems(error: Exception, path: tuple[str, ...]) -> Iterator[SettingError]:
    """Yield the errors that cattrs collected, with their places."""
    if isinstance(error, cattrs.BaseValidationError):
        misspelt = {near for inner in error.exceptions for near in _meant(inner)}
        for inner in error.exceptions:
            if isinstance(inner, KeyError) and inner.args[0] in misspelt:
                continue  # it is there, under the name that is reported as unknown
            steps = [
                str(note.name if isinstance(note, AttributeValidationNote) else note.index)
                for note in getattr(inner, "__notes__", ())
                if isinstance(note, AttributeValidationNote | IterableValidationNote)
            ]
            yield from _problems(inner, (*path, *steps))
    elif isinstance(error, ForbiddenExtraKeysError):
        for unknown in sorted(error.extra_fields):
            yield SettingError((*path, unknown), f"unknown key; {did_you_mean(unknown, settings_of(error.cl))}")
    elif isinstance(error, KeyError):
        yield SettingError(path, "is missing")
    else:
        yield SettingError(path, str(error))


def _meant(error: BaseException) -> Iterator[str]:
    """Yield the known keys that unknown ones resemble."""
    if isinstance(error, ForbiddenExtraKeysError):
        for unknown in error.extra_fields:
            yield from get_close_matches(unknown, settings_of(error.cl), 1)


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, strictly(str, "a string"))
    converter.register_structure_hook(int, strictly(int, "an integer"))
    converter.register_structure_hook(int | None, strictly(int, "an integer"))
    converter.register_structure_hook(float, strictly(float, "a number", int))
    converter.register_structure_hook(float | None, strictly(float, "a number", int))
    converter.register_structure_hook(bool, strictly(bool, "true or false"))
    converter.register_structure_hook(IpPolicy, address_policy)
    converter.register_structure_hook_func(lambda kind: kind == tuple[Network, ...], networks)
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], names)
    converter.register_structure_hook_func(lambda kind: kind == str | tuple[str, ...], addresses)
    for settings in (ServerSettings, StorageSettings, LogSettings, LimitSettings, ProjectSettings):
        converter.register_structure_hook(settings, _structure_and_validate(settings, converter))
    of_dialect = _structure_and_validate(DialectSettings, converter)
    converter.register_structure_hook(DialectSettings, lambda table, kind: of_dialect(_with_switches(table), kind))
    return converter


def _with_switches(table: Mapping[str, Any]) -> dict[str, Any]:
    known = settings_of(DialectSettings)
    switches = {key: value for key, value in table.items() if key not in known and isinstance(value, bool)}
    return {**{key: value for key, value in table.items() if key in known}, "switches": switches}


def _structure_and_validate(settings: type[Any], converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """Return a hook that runs each field's validator by itself: attrs would stop at the first one that fails."""

    def of_field(field: "attrs.Attribute[Any]") -> Callable[[object, object], Any]:
        def hook(value: object, kind: Any) -> Any:
            structured = converter.structure(value, kind)
            if field.validator is not None:
                field.validator(None, field, structured)
            return structured

        return hook

    hooks: dict[str, Any] = {field.name: override(struct_hook=of_field(field)) for field in attrs.fields(settings)}
    return make_dict_structure_fn(settings, converter, **hooks)


_converter = _make_converter()
