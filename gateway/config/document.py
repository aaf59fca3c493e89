"""Writes what people read of the settings, from the tree: `python -m gateway.config.document`, in a checkout.

It writes examples/gateway.toml and docs/settings.md anew. The texts that belong to no setting stand here.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import attrs

from gateway.config.environment import PREFIX
from gateway.config.example_file import WIDTH, choices, toml, value_text
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
from gateway.http.client_address import Network
from gateway.ingest.registry import discover

TOML, PAGE = Path("examples/gateway.toml"), Path("docs/settings.md")
"""The files, from the root of a checkout."""

PAGE_HEAD = """\
# Settings

Settings come from a TOML file, from environment variables and from the command line. The command line wins over the
environment, and the environment wins over the file. [`examples/gateway.toml`](../examples/gateway.toml) is a file with
every setting at its default.

```sh
gateway check-config gateway.toml
gateway serve --config gateway.toml
```

`check-config` prints every error of a file at once, with the nearest name that exists for one that does not. If the
file is good, it checks the environment variables too.

`SIGHUP` has a running gateway read all of them again: [how to reload](operate/reload.md). Below each table stand the
settings that only the next start changes; a reload changes all others.

## Environment variables

A setting's variable is `GATEWAY_`, its table and its name, in capitals: `GATEWAY_SERVER_PORT=9000` is `port` in
`[server]`. The settings of `[server]` and `[storage]` also have a short name, without the table: `GATEWAY_PORT`.

- In the name of a project, a dialect or a host, write `_` for each character that is no letter or digit. In this
  way `GATEWAY_PROJECTS_MY_SHOP_CLIENT_IP` means the project `my-shop` if the file has `[projects.my-shop]`.
- A project that the file does not name gets the name in the variable in lower case. `__` is a hyphen:
  `GATEWAY_PROJECTS_SHOP_CLIENT_IP` means `shop`, `GATEWAY_PROJECTS_MY__SHOP_CLIENT_IP` means `my-shop`. In a host that
  the file does not name, `_` is a dot: `GATEWAY_HOSTS_COLLECT_EXAMPLE_COM=databuddy`.
- A list is written with commas: `GATEWAY_TRUSTED_PROXIES=10.0.0.0/8,192.0.2.1`. Case does not matter in
  `true` and `false`.
- An empty variable is not set.
- The variables that Kubernetes sets for a service named `gateway` (`GATEWAY_PORT=tcp://...`) are ignored. So are
  unknown variables, unless they resemble a known one: that is an error.

Two variables are no settings of a file: `GATEWAY_CONFIG` names the file (like `--config`), and `GATEWAY_DATA` the data
directory (like `--data`; the default is `data`). The data directory is not used if `url` in `[storage]` names another
store, in the file or by `GATEWAY_STORAGE`. Only `--data` on the command line wins over that.

The settings `refused_megabytes` and `refused_days`, and their variables, are old names of `rejected_megabytes` and
`rejected_days`. They still work. So do `log_level` in `[server]` and `GATEWAY_SERVER_LOG_LEVEL`, for `level` in
`[log]`.

<!-- The tables below are written by `python -m gateway.config.document`, from gateway/config/settings/. -->
"""


def page(dialects: Iterable[Dialect]) -> str:
    """Return docs/settings.md."""
    tables = settings_of(Config)
    parts = [PAGE_HEAD]
    kinds = {
        "server": ServerSettings,
        "storage": StorageSettings,
        "log": LogSettings,
        "limits": LimitSettings,
        "projects": ProjectSettings,
    }
    for name, table in tables.items():
        by_name = {"limits": ".<dialect>", "projects": ".<project>", "dialects": ".<dialect>"}.get(name, "")
        parts.append(f"## `[{name}{by_name}]`\n\n{textwrap.fill(about(table).meaning, WIDTH)}\n")
        kind = kinds.get(name, DialectSettings)
        parts.append("\n".join([*_HEADINGS, *_rows(name, by_name, kind, dialects), ""]))
        if (
            at_start := []
            if about(table).live
            else [key for key, field in settings_of(kind).items() if not about(field).live]
        ):
            parts.append(textwrap.fill(f"Only the next start changes {_names(at_start)}.", WIDTH) + "\n")
    return "\n".join(parts)


_HEADINGS = ("| setting | type | default | environment variable | meaning |", "|---|---|---|---|---|")


def _rows(table: str, by_name: str, kind: type[Any], dialects: Iterable[Dialect]) -> Iterator[str]:
    if table == "hosts":
        yield _row("`<host>`", "string: a dialect", "none", f"`{PREFIX}HOSTS_<HOST>`", "The dialect of this host.")
        return
    for name, field in settings_of(kind).items():
        long = f"`{PREFIX}{table.upper()}{by_name.upper().replace('.', '_')}_{name.upper()}`"
        has_short = table in ("server", "storage")
        variable = f"{long}, `{PREFIX}{about(field).variable or name.upper()}`" if has_short else long
        default = "none" if field.default in (None, attrs.NOTHING) else f"`{value_text(field.default)}`"
        yield _row(f"`{name}`", _type(field), default, variable, about(field).meaning)
    if table != "dialects":
        return
    for dialect in dialects:
        for switch in dialect.switches:
            variable = f"`{PREFIX}DIALECTS_{dialect.name.upper()}_{switch.name.upper()}`"
            meaning = f"Only {dialect.title}: {switch.meaning}"
            yield _row(f"`{switch.name}`", "true or false", "`false`", variable, meaning)


def _names(keys: Sequence[str]) -> str:
    *most, last = (f"`{key}`" for key in keys)
    return f"{', '.join(most)} and {last}" if most else last


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(field: "attrs.Attribute[Any]") -> str:
    kind: Any = get_args(field.type)[0] if isinstance(field.type, UnionType) else field.type
    if texts := choices(field):
        return f"one of {', '.join(f'`{text}`' for text in texts)}"
    if get_origin(kind) is tuple:
        return "list of addresses and networks" if get_args(kind)[0] == Network else "list of names"
    names = {str: "string", int: "integer", float: "number", bool: "true or false"}
    return f"{names[kind]} {about(field).bounds}".strip()


def main() -> None:
    """Write both files anew, below the working directory."""
    dialects = discover()
    TOML.write_text(toml(dialects), "utf-8")
    PAGE.write_text(page(dialects), "utf-8")


if __name__ == "__main__":
    main()
