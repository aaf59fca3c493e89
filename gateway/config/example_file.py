"""examples/gateway.toml, from the tree: every setting at its default, below its meaning. See document.py."""

import enum
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

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
from gateway.dialect import Dialect

WIDTH = 120
TOML_HEAD = """\
# Every setting of the gateway, with its default. As it stands, this file changes nothing.
#
#   gateway check-config gateway.toml
#   gateway serve --config gateway.toml
#
# A line such as `#name = value`, without a space after the #, is an example of a setting that has no default.
# Every setting can also come from the environment: docs/settings.md says under which name. The environment wins over
# this file, and the command line wins over both.
"""


def toml(dialects: Iterable[Dialect]) -> str:
    """Return examples/gateway.toml."""
    tables = settings_of(Config)
    parts = [
        TOML_HEAD,
        _section(_comment(tables["server"]), "[server]", _lines(ServerSettings)),
        _section(_comment(tables["storage"]), "[storage]", _lines(StorageSettings)),
        _section(_comment(tables["log"]), "[log]", _lines(LogSettings)),
        _section(_comment(tables["hosts"]), "[hosts]", [f'#"{about(tables["hosts"]).example}" = "databuddy"']),
        _section(
            _comment(tables["limits"]), f"#[limits.{about(tables['limits']).example}]", _lines(LimitSettings, show="#")
        ),
        _section(
            _comment(tables["projects"]), f"[projects.{about(tables['projects']).example}]", _lines(ProjectSettings)
        ),
    ]
    comment = [*_comment(tables["dialects"]), *_meanings(DialectSettings)]
    for dialect in dialects:
        own = {"body_limit_bytes": dialect.body_cap}
        lines = list(_lines(DialectSettings, own, commented=False))
        for switch in dialect.switches:
            lines += [*_wrapped(switch.meaning), f"{switch.name} = false"]
        parts.append(_section(comment, f"[dialects.{dialect.name}]", lines))
        comment = []
    return "\n".join(parts)


def choices(field: "attrs.Attribute[Any]") -> tuple[str, ...]:
    """Return the texts that a setting takes, if it takes only some."""
    if isinstance(field.type, type) and issubclass(field.type, enum.Enum):
        return tuple(str(each.value) for each in field.type)
    return about(field).choices


def value_text(value: object) -> str:
    """Return a value as TOML: `"info"`, `8080`, `2_097_152`, `true`, `[]`."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}" if value >= 100_000 else str(value)
    return json.dumps(value)


def _section(comment: Iterable[str], head: str, lines: Iterable[str]) -> str:
    return "\n".join([*comment, head, *lines, ""])


def _lines(
    kind: type[Any], own: Mapping[str, Any] | None = None, *, commented: bool = True, show: str = ""
) -> Iterator[str]:
    """Yield the settings of a table, each below its meaning if `commented`. `own` replaces defaults; `show` is `#` for
    a table that is only shown. A setting without a default is only shown.
    """
    for name, field in settings_of(kind).items():
        value = (own or {}).get(name, field.default)
        if commented:
            yield from _wrapped(_described(field))
        if value in (None, attrs.NOTHING):
            yield f"#{name} = {value_text(about(field).example)}"
        else:
            yield f"{show}{name} = {value_text(value)}"


def _meanings(kind: type[Any]) -> Iterator[str]:
    for name, field in settings_of(kind).items():
        yield from _wrapped(f"`{name}`: {about(field).meaning}")


def _described(field: "attrs.Attribute[Any]") -> str:
    texts = choices(field)
    return f"{about(field).meaning} One of {', '.join(texts)}." if texts else about(field).meaning


def _comment(table: "attrs.Attribute[Any]") -> Iterator[str]:
    yield from _wrapped(about(table).meaning)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
