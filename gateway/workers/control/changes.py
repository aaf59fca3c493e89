"""What a configuration sets, and what is different in another one: which of that a running gateway can take. Pure."""

import enum
import json
from collections.abc import Mapping
from typing import Any

import attrs

from gateway.config.setting import about, settings_of
from gateway.config.structure import TABLES_BY_NAME
from gateway.config.tree import Config

MAX_SHOWN = 40
"""So many settings are named in a line."""
MAX_VALUE = 100
"""So many characters of a value."""


@attrs.frozen(kw_only=True)
class Changes:
    """What a reload does. `config` is what holds from now on: as before where only the next start can change it.

    `now` and `later` say what takes effect, and when: `log.level "info" -> "debug"`.
    """

    config: Config
    now: tuple[str, ...]
    later: tuple[str, ...]


def changes(old: Config, new: Config) -> Changes:
    """Return what it means to reload one configuration in place of another."""
    before, after = _settings(old), _settings(new)
    now: list[str] = []
    later: list[str] = []
    for path in dict.fromkeys([*before, *after]):
        is_, was = after.get(path), before.get(path)
        known = was or is_
        assert known is not None, "the path is from one of them"
        one, other = (known.default if each is None else each.value for each in (was, is_))
        if one != other:
            said = f"{_name(path)} " + ("(secret)" if known.secret else f"{_shown(one)} -> {_shown(other)}")
            (now if known.live else later).append(said)
    return Changes(config=_taken(old, new), now=tuple(now), later=tuple(later))


def set_values(config: Config) -> dict[str, Any]:
    """Return the settings that differ from their defaults, by name, as a log line may show them; no secrets."""
    found = {
        _name(path): "(secret)" if each.secret else _plain(each.value)
        for path, each in _settings(config).items()
        if each.value != each.default
    }
    left = len(found) - MAX_SHOWN
    return found if left <= 0 else {**dict(list(found.items())[:MAX_SHOWN]), "more": left}


def in_words(values: Mapping[str, Any]) -> str:
    """Return such settings as text: `server.port = 9000, log.level = "debug"`; `all defaults` for none."""
    return ", ".join(f"{name} = {json.dumps(value)}" for name, value in values.items()) or "all defaults"


def listed(said: tuple[str, ...]) -> str:
    """Return what `changes` says as one text."""
    left = len(said) - MAX_SHOWN
    return ", ".join(said[:MAX_SHOWN]) + (f" and {left} more" if left > 0 else "")


Path = tuple[str, ...]


@attrs.frozen
class _Setting:
    value: Any
    default: Any
    live: bool
    secret: bool = False


def _settings(config: Config) -> dict[Path, _Setting]:
    """Return every setting that a configuration has a value for, by its path from the top."""
    found: dict[Path, _Setting] = {}
    for name, field in settings_of(Config).items():
        table, live = getattr(config, name), about(field).live
        if name in TABLES_BY_NAME:
            for each, settings in table.items():
                found |= _of_table((name, each), settings, live=live)
        elif isinstance(table, Mapping):
            found |= {(name, key): _Setting(value, None, live) for key, value in table.items()}
        else:
            found |= _of_table((name,), table)
    return found


def _of_table(path: Path, table: Any, *, live: bool = False) -> dict[Path, _Setting]:
    found: dict[Path, _Setting] = {}
    for key, field in settings_of(type(table)).items():
        known, default = about(field), None if field.default is attrs.NOTHING else field.default
        found[*path, key] = _Setting(getattr(table, key), default, live or known.live, known.secret)
    return found | {(*path, key): _Setting(is_on, False, live) for key, is_on in getattr(table, "switches", {}).items()}


def _taken(old: Config, new: Config) -> Config:
    """Return the new configuration, with the old values of what only the next start can change."""
    tables: dict[str, Any] = {"data": old.data}
    for name, field in settings_of(Config).items():
        before = getattr(old, name)
        if isinstance(before, Mapping):
            tables[name] = getattr(new, name) if about(field).live else before
        else:
            kept = {
                key: getattr(before, key) for key, each in settings_of(type(before)).items() if not about(each).live
            }
            tables[name] = attrs.evolve(getattr(new, name), **kept)
    return attrs.evolve(new, **tables)


def _name(path: Path) -> str:
    return ".".join(path)


def _shown(value: Any) -> str:
    return "none" if value is None else json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, cut where it is long."""
    if isinstance(value, tuple):
        texts = [str(each) for each in value]
        return texts if len(str(texts)) <= MAX_VALUE else f"{len(texts)} values"
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, float) and value.is_integer():
        return int(value)  # both may be written
    return value if isinstance(value, bool | int | float | None) else str(value)[:MAX_VALUE]
