"""A document (nested dicts, as TOML gives them) to settings, and everything that is wrong in it. Pure."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import attrs
import cattrs
from cattrs import AttributeValidationNote, ForbiddenExtraKeysError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from gateway.config.errors import SettingError, did_you_mean
from gateway.config.settings import Networks, ServerSettings, Settings, StorageSettings
from gateway.http.client_address import Network
from gateway.ingest.address_policy import IpPolicy
from gateway.ingest.rate_limit import Limit
from gateway.keys.origins import host_of

RENAMED = {"storage": {"refused_megabytes": "rejected_megabytes", "refused_days": "rejected_days"}}
"""The old names of settings, by table. They still work."""


def structure(document: Mapping[str, Any]) -> tuple[Settings, tuple[SettingError, ...]]:
    """Return a document's settings, and every error in it.

    A table with an error has its defaults in the settings, so that a caller can go on and check the others.
    """
    types: dict[str, Any] = {field.name: field.type for field in attrs.fields(Settings)}
    tables: dict[str, Any] = {}
    wrong: list[SettingError] = []
    for name, table in document.items():
        if name not in types:
            wrong.append(SettingError((name,), f"unknown key; {did_you_mean(name, types)}"))
        elif found := list(_not_tables(name, table)):
            wrong += found
        else:
            wrong += _set_twice(name, table)
            try:
                tables[name] = _converter.structure(_current_names(name, table), types[name])
            except Exception as error:  # cattrs raises whatever a hook or a validator raised
                wrong += _problems(error, (name,))
    settings = Settings(**tables)
    return settings, (*wrong, *_of_dialects(settings.dialects), *_of_hosts(settings.hosts))


def current_names(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document that has no errors with today's names of its settings."""
    return {name: _current_names(name, table) for name, table in document.items()}


def _current_names(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    renamed = RENAMED.get(name, {})
    return {renamed.get(key, key): value for key, value in table.items()}


def _not_tables(name: str, table: object) -> Iterator[SettingError]:
    """Yield an error for each value that should be a table: the table itself, and in some each value in it."""
    inner = table.items() if isinstance(table, dict) and name in ("dialects", "limits", "projects") else ()
    for path, value in [((name,), table), *[((name, key), value) for key, value in inner]]:
        if not isinstance(value, dict):
            yield SettingError(path, f"must be a table; write [{'.'.join(path)}] and its settings below")


def _set_twice(name: str, table: Mapping[str, Any]) -> Iterator[SettingError]:
    for old, current in RENAMED.get(name, {}).items():
        if old in table and current in table:
            yield SettingError((name, old), f"is the old name of {current}; set only one of them")


def _of_dialects(dialects: Mapping[str, Mapping[str, bool | int]]) -> Iterator[SettingError]:
    for name, settings in dialects.items():
        for key, value in settings.items():
            path = ("dialects", name, key)
            if key == "body_limit_bytes":
                if isinstance(value, bool) or value < 1:
                    yield SettingError(path, f"must be a number of bytes above 0, not {_shown(value)}")
            elif not isinstance(value, bool):
                problem = f"must be true or false, not {_shown(value)}; a dialect's settings are switches"
                yield SettingError(path, problem)


def _of_hosts(hosts: Iterable[str]) -> Iterator[SettingError]:
    for host in hosts:
        try:
            name = host_of(host)
        except ValueError as error:
            yield SettingError(("hosts", host), str(error))
            continue
        if name != host.lower():
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
            yield SettingError((*path, unknown), f"unknown key; {did_you_mean(unknown, _names(error.cl))}")
    elif isinstance(error, KeyError):
        yield SettingError(path, "is missing")
    else:
        yield SettingError(path, str(error))


def _meant(error: BaseException) -> Iterator[str]:
    """Yield the known keys that unknown ones resemble."""
    if isinstance(error, ForbiddenExtraKeysError):
        for unknown in error.extra_fields:
            yield from get_close_matches(unknown, _names(error.cl), 1)


def _names(settings: type) -> list[str]:
    return [field.name for field in attrs.fields(settings)]


def _strictly(kind: type, said: str, *also: type) -> Callable[[object, object], Any]:
    """Return a hook that takes values of a type as they are: no number from a string, no string from a number."""

    def hook(value: object, _: object) -> Any:
        if type(value) is kind or type(value) in also:
            return value
        raise TypeError(f"must be {said}, not {_shown(value)}")

    return hook


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _networks(value: object, _: object) -> Networks:
    if not isinstance(value, list):
        raise TypeError(f"must be a list of addresses and networks, not {_shown(value)}")
    return tuple(_network(each) for each in value)


def _network(value: object) -> Network:
    try:
        return ipaddress.ip_network(str(value))
    except ValueError as error:
        raise ValueError(f"{error}; write an address or a network, like 10.0.0.0/8") from None


def _policy(value: object, _: object) -> IpPolicy:
    try:
        return IpPolicy(value)
    except ValueError:
        hint = did_you_mean(str(value), [policy.value for policy in IpPolicy])
        raise ValueError(f"{_shown(value)} is not an address policy; {hint}") from None


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, _strictly(str, "a string"))
    converter.register_structure_hook(int, _strictly(int, "an integer"))
    converter.register_structure_hook(float, _strictly(float, "a number", int))
    converter.register_structure_hook(bool, _strictly(bool, "true or false"))
    converter.register_structure_hook(bool | int, _strictly(bool, "true or false", int))
    converter.register_structure_hook(IpPolicy, _policy)
    converter.register_structure_hook_func(lambda kind: kind == Networks, _networks)
    for settings in (ServerSettings, StorageSettings, Limit):
        converter.register_structure_hook(settings, _structure_and_validate(settings, converter))
    return converter


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
