"""Environment variables to settings. The variables are an argument; load.py reads them.

`GATEWAY_SERVER_PORT` is `server.port`, `GATEWAY_PROJECTS_MY__SHOP_CLIENT_IP` is `projects.my-shop.client_ip`: a name in
a variable is in capitals, with `_` for each character that is no letter or digit, or with `__` for a hyphen.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Any, get_args, get_origin

import attrs

from gateway.config.errors import ConfigError, did_you_mean
from gateway.config.renamed import MOVED, RENAMED
from gateway.config.setting import about, settings_of
from gateway.config.settings import (
    DialectSettings,
    LimitSettings,
    LogSettings,
    ProjectSettings,
    ServerSettings,
    StorageSettings,
)
from gateway.config.structure import structure
from gateway.config.tree import Config
from gateway.dialect import Dialect

PREFIX = "GATEWAY_"
NAMELESS = {"DATA", "CONFIG"}
"""Variables that are no settings of a file."""

KEYS_OF_PROJECTS = tuple(settings_of(ProjectSettings))
_SERVICE_LINK = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
"""What Kubernetes sets in each container for a service that is named `gateway` or `gateway-...`."""
_SERVICE_LINK_VALUES = ("tcp://", "udp://", "sctp://")
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}

PathOfSetting = tuple[str, ...]
"""Where a setting stands, as the keys from the top: `("server", "port")`."""


class _Wrong(Exception):
    """What is wrong with one variable."""


def names_dialects(environment: Mapping[str, str]) -> bool:
    """Return whether the dialects are needed to understand a variable, even a misspelt one."""
    starts = tuple(PREFIX + each for each in ("DIALECT", "LIMIT", "HOSTS", "ROOT_ORDER", "SERVER_ROOT_ORDER"))
    return any(variable.upper().startswith(starts) for variable in environment)


def spellings(name: str) -> tuple[str, str]:
    """Return a name as it may stand in a variable: `my-shop` as `MY_SHOP` and `MY__SHOP`."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper()), re.sub(r"[^A-Z0-9]", "_", name.upper().replace("-", "__"))


def from_environment(
    environment: Mapping[str, str], document: Mapping[str, Any], dialects: Iterable[Dialect]
) -> dict[PathOfSetting, Any]:
    """Return the environment's settings by path. Each is tried alone, so that an error can name its variable.

    `document` is the file's: its names of projects and hosts can be meant. Ignores empty variables, the service links
    of Kubernetes (`GATEWAY_PORT=tcp://...`), and unknown variables that do not resemble a known one. Raises ConfigError
    with everything that is wrong.
    """
    dialects = tuple(dialects)
    known = _known(document, dialects)
    found: dict[PathOfSetting, Any] = {}
    sources: dict[PathOfSetting, str] = {}
    wrong: list[str] = []
    for variable, text in sorted(environment.items()):
        name, text = variable.removeprefix(PREFIX), text.strip()
        if not variable.startswith(PREFIX) or not text or text.startswith(_SERVICE_LINK_VALUES) or name in NAMELESS:
            continue
        try:
            path = _path(name, known)
            if path is None:
                continue
            if path in sources:
                raise _Wrong(f"is another name of {sources[path]}; set only one of them")
            found[path], sources[path] = _value(path, text, dialects), variable
        except _Wrong as error:
            wrong.append(f"{variable}: {error}")
    if wrong:
        raise ConfigError(f"environment: {'; '.join(wrong)}")
    return found


def _known(document: Mapping[str, Any], dialects: Iterable[Dialect]) -> dict[str, set[PathOfSetting]]:
    """Return every variable that can be known beforehand, without its prefix, with the settings that it may mean."""
    known: dict[str, set[PathOfSetting]] = {}
    for name, path in _of_single_tables():
        known.setdefault(name, set()).add(path)
    paths: list[PathOfSetting] = [("hosts", host) for host in document.get("hosts", {})]
    paths += [("projects", project, key) for project in document.get("projects", {}) for key in KEYS_OF_PROJECTS]
    for dialect in dialects:
        own = [*settings_of(DialectSettings), *(switch.name for switch in dialect.switches)]
        paths += [("dialects", dialect.name, key) for key in own]
        paths += [("limits", dialect.name, key) for key in settings_of(LimitSettings)]
    for path in paths:
        for name in _variables(path):
            known.setdefault(name, set()).add(path)
    return known


def _of_single_tables() -> Iterator[tuple[str, PathOfSetting]]:
    """Yield the variables of the tables that are no tables by name, old names too.

    Those of `[server]` and `[storage]` have a short name, without the table.
    """
    for old, path in MOVED.items():
        yield "_".join(old).upper(), path
    for key in settings_of(LogSettings):
        yield f"log_{key}".upper(), ("log", key)
    for table, kind in (("server", ServerSettings), ("storage", StorageSettings)):
        current = {key: key for key in settings_of(kind)}
        for written, key in {**current, **RENAMED.get(table, {})}.items():
            yield about(settings_of(kind)[key]).variable or written.upper(), (table, key)
            yield f"{table}_{written}".upper(), (table, key)


def _variables(path: PathOfSetting) -> list[str]:
    table, name, *key = path
    return ["_".join([table, spelling, *key]).upper() for spelling in spellings(name)]


def _path(name: str, known: Mapping[str, set[PathOfSetting]]) -> PathOfSetting | None:
    """Return the setting that a variable means; None if it is none of the gateway's. Raises _Wrong."""
    name = name.upper().replace("-", "__").replace(".", "_")  # some shells and orchestrators allow such names
    if name in known:
        path, *others = sorted(known[name])
        if others:
            raise _Wrong(f"means both {'.'.join(path)} and {'.'.join(others[0])}; set them in a file")
        return path
    for key in KEYS_OF_PROJECTS:
        project = name.removeprefix("PROJECTS_").removesuffix(f"_{key.upper()}")
        if project and name == f"PROJECTS_{project}_{key.upper()}":
            return ("projects", project.lower().replace("__", "-"), key)
    if _SERVICE_LINK.fullmatch(name):
        return None
    if host := name.removeprefix("HOSTS_") if name.startswith("HOSTS_") else "":
        return ("hosts", host.lower().replace("__", "-").replace("_", "."))
    if near := get_close_matches(name, [*known, *NAMELESS, *_of_new_projects(name)], 1, 0.75):
        raise _Wrong(f"unknown variable; did you mean {PREFIX}{near[0]}?")
    return None


def _of_new_projects(name: str) -> Iterator[str]:
    """Yield what a misspelt variable of a project that no file names may have been meant to be."""
    table, *words = name.split("_")
    if table == "PROJECTS":
        for end in range(1, len(words)):
            yield from (f"{table}_{'_'.join(words[:end])}_{key.upper()}" for key in KEYS_OF_PROJECTS)


def _value(path: PathOfSetting, text: str, dialects: Iterable[Dialect]) -> Any:
    """Return a variable's value as a file would have it. Raises _Wrong."""
    value = _parsed(_type(path), text)
    document: Any = value
    for key in reversed(path):
        document = {key: document}
    for wrong in structure(document)[1]:
        if wrong.path == path:  # others are about what the file or other variables may say
            raise _Wrong(wrong.problem)
    installed = [dialect.name for dialect in dialects]
    named = [value] if path[0] == "hosts" else value if path == ("server", "root_order") else ()
    for name in named:
        if name not in installed:
            raise _Wrong(f"no dialect is named {name!r}; {did_you_mean(name, installed)}")
    return value


def _type(path: PathOfSetting) -> Any:
    kind: Any = settings_of(Config)[path[0]].type
    if get_origin(kind) is not None:
        kind = get_args(kind)[1]
    if not attrs.has(kind):
        return kind
    field = settings_of(kind).get(path[-1])
    return bool if field is None else field.type  # all else is a dialect's switch


def _parsed(kind: Any, text: str) -> Any:
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    parse, expected = _PARSERS.get(get_origin(kind) or kind, (str, ""))
    try:
        return parse(text)
    except (ValueError, KeyError):
        raise _Wrong(f"must be {expected}, not {text!r}") from None


_PARSERS: Mapping[Any, tuple[Callable[[str], Any], str]] = {
    int: (int, "an integer"),
    float: (float, "a number"),
    bool: (lambda text: _BOOLEANS[text.lower()], "true or false"),
    tuple: (lambda text: [part.strip() for part in text.split(",") if part.strip()], ""),
}
