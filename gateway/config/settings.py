"""The shape of the configuration file, and plain words for what is wrong in one. No file is opened here."""

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs
import cattrs
from cattrs import AttributeValidationNote, ForbiddenExtraKeysError, IterableValidationNote

from gateway.http.client_address import Network
from gateway.ingest.address_policy import IpPolicy
from gateway.ingest.rate_limit import Limit
from gateway.keys.origins import host_of

LEVELS = ("debug", "info", "warning", "error")
Networks = tuple[Network, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key that TOML takes without quotes


class SettingError(Exception):
    """Something in a document is not as it should be: where, and what to do about it."""

    def __init__(self, path: Iterable[str], problem: str) -> None:
        self.path = tuple(path)
        self.problem = problem
        steps = [step if _BARE.fullmatch(step) else f'"{step}"' for step in self.path]
        super().__init__(f"{'.'.join(steps)}: {problem}")


def _between(low: float, high: float) -> "Callable[[object, attrs.Attribute[Any], Any], None]":
    def check(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
        if not low <= value <= high:  # not-a-number is not within either
            raise SettingError((field.name,), f"must be from {low} to {high}, not {value!r}")

    return check


def _level(_: object, field: "attrs.Attribute[Any]", value: str) -> None:
    if value not in LEVELS:
        raise SettingError((field.name,), f"{value!r} is no level; {did_you_mean(value, LEVELS)}")


@attrs.frozen
class Server:
    """`[server]`: how it listens. Timeouts are in seconds; port 0 takes any that is free.

    `idle_timeout` is for a connection on which no request has come whole up to its body; longer than a proxy's own for
    the connections that it keeps (nginx: 60), or the proxy sends into closed ones.
    """

    host: str = "127.0.0.1"
    port: int = attrs.field(default=8080, validator=_between(0, 65535))
    workers: int = attrs.field(default=1, validator=_between(1, 256))
    body_timeout: float = attrs.field(default=30.0, validator=_between(0.1, 3600))
    idle_timeout: float = attrs.field(default=75.0, validator=_between(0.1, 86_400))
    trusted_proxies: Networks = ()
    log_level: str = attrs.field(default="info", validator=_level)


@attrs.frozen
class Storage:
    """`[storage]`: how much may wait to be written, for how long ids are remembered, how much of refused requests."""

    queue_megabytes: float = attrs.field(default=64.0, validator=_between(1, 65536))
    dedupe_days: float = attrs.field(default=7.0, validator=_between(0.01, 3650))
    keep_events_days: float = attrs.field(default=0.0, validator=_between(0, 36500))
    keep_raw_days: float = attrs.field(default=0.0, validator=_between(0, 3650))
    rejected_megabytes: float = attrs.field(default=64.0, validator=_between(0, 65536))
    rejected_days: float = attrs.field(default=7.0, validator=_between(0.01, 3650))


@attrs.frozen
class Project:
    """`[projects.<name>]`: what one project wants differently."""

    client_ip: IpPolicy = IpPolicy.KEEP
    filter_bots: bool = False


@attrs.frozen
class File:
    """The whole file. `[dialects.<name>]` has the dialect's switches, and `body_limit_bytes`."""

    server: Server = attrs.field(factory=Server)
    storage: Storage = attrs.field(factory=Storage)
    hosts: dict[str, str] = attrs.field(factory=dict)
    limits: dict[str, Limit] = attrs.field(factory=dict)
    dialects: dict[str, dict[str, bool | int]] = attrs.field(factory=dict)
    projects: dict[str, Project] = attrs.field(factory=dict)


RENAMED = {"storage": {"refused_megabytes": "rejected_megabytes", "refused_days": "rejected_days"}}
"""Old names of settings by table; they go on working."""


def current_names(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with today's names for renamed settings. Raises SettingError where both names are set."""
    current = dict(document)
    for name, renamed in RENAMED.items():
        table = current.get(name)
        if not isinstance(table, dict):
            continue
        for old in renamed.keys() & table.keys():
            if renamed[old] in table:
                raise SettingError((name, old), f"is the old name of {renamed[old]}; set only one of them")
        current[name] = {renamed.get(key, key): value for key, value in table.items()}
    return current


def structure(document: Mapping[str, Any]) -> File:
    """Return a document as its values. Raises SettingError on the first thing that is not as it should be."""
    tables = {field.name for field in attrs.fields(File)}
    for name, table in document.items():
        inner = table.items() if isinstance(table, dict) and name in ("dialects", "limits", "projects") else ()
        for path, value in [((name,), table), *[((name, key), value) for key, value in inner]]:
            if name in tables and not isinstance(value, dict):
                raise SettingError(path, f"must be a table; write [{'.'.join(path)}] and its settings below")
    try:
        file = _converter.structure(document, File)
    except Exception as error:
        raise next(_problems(error, ())) from None
    for name, settings in file.dialects.items():
        for key, value in settings.items():
            _check_dialect(("dialects", name, key), value)
    for host in file.hosts:
        try:
            named = host_of(host)
        except ValueError as error:
            raise SettingError(("hosts", host), str(error)) from None
        if named != host.lower():
            raise SettingError(("hosts", host), f"must be a host name alone; write {named!r}")
    return file


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return what to do about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there is: {', '.join(names)}" if names else "there is none"


def _check_dialect(path: tuple[str, ...], value: bool | int) -> None:
    if path[-1] == "body_limit_bytes":
        if isinstance(value, bool) or value < 1:
            raise SettingError(path, f"must be a number of bytes above 0, not {_shown(value)}")
    elif not isinstance(value, bool):
        raise SettingError(path, f"must be true or false, not {_shown(value)}; a dialect's settings are switches")


def _problems(error: Exception, path: tuple[str, ...]) -> Iterator[SettingError]:
    """Yield what cattrs found, as places and plain words."""
    if isinstance(error, cattrs.BaseValidationError):
        # A misspelt key is told as such, not as the one that is missing because of it.
        for inner in sorted(error.exceptions, key=lambda inner: not isinstance(inner, ForbiddenExtraKeysError)):
            steps = [
                str(note.name if isinstance(note, AttributeValidationNote) else note.index)
                for note in getattr(inner, "__notes__", ())
                if isinstance(note, AttributeValidationNote | IterableValidationNote)
            ]
            yield from _problems(inner, (*path, *steps))
    elif isinstance(error, ForbiddenExtraKeysError):
        unknown = sorted(error.extra_fields)[0]
        known = [field.name for field in attrs.fields(error.cl)]
        yield SettingError((*path, unknown), f"unknown key; {did_you_mean(unknown, known)}")
    elif isinstance(error, KeyError):
        yield SettingError(path, "is missing")
    elif isinstance(error, SettingError):
        yield SettingError((*path, *error.path), error.problem)
    else:
        yield SettingError(path, str(error))


def _strictly(kind: type, said: str, *also: type) -> Callable[[object, object], Any]:
    """Return a hook that takes values of a type as they are: no number out of a text, no text out of a number."""

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
        said = did_you_mean(str(value), [policy.value for policy in IpPolicy])
        raise ValueError(f"{_shown(value)} is no policy; {said}") from None


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, _strictly(str, "a text"))
    converter.register_structure_hook(int, _strictly(int, "a whole number"))
    converter.register_structure_hook(float, _strictly(float, "a number", int))
    converter.register_structure_hook(bool, _strictly(bool, "true or false"))
    converter.register_structure_hook(bool | int, _strictly(bool, "true or false", int))
    converter.register_structure_hook(IpPolicy, _policy)
    converter.register_structure_hook_func(lambda kind: kind == Networks, _networks)
    return converter


_converter = _make_converter()
