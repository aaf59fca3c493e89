"""Settings that had another name, or stood in another table, before. What was written then still works. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.config.errors import SettingError

RENAMED = {"storage": {"refused_megabytes": "rejected_megabytes", "refused_days": "rejected_days"}}
"""The old names of settings, by table."""
MOVED = {("server", "log_level"): ("log", "level")}
"""Where settings stood before, and where they stand now."""


def current_names(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with today's names of its settings, at today's places, which win over the old ones."""
    tables = {name: in_table(name, table) if isinstance(table, dict) else table for name, table in document.items()}
    for (old_table, old_key), (table, key) in MOVED.items():
        if old_key in _table(tables, old_table) and isinstance(tables.setdefault(table, {}), dict):
            tables[table].setdefault(key, tables[old_table].pop(old_key))
    return tables


def in_table(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with today's names."""
    renamed = RENAMED.get(name, {})
    return {renamed.get(key, key): value for key, value in table.items()}


def set_twice(document: Mapping[str, Any]) -> Iterator[SettingError]:
    """Yield an error for each setting that a document has under both of its names."""
    for name, renamed in RENAMED.items():
        table = _table(document, name)
        for old, current in renamed.items():
            if old in table and current in table:
                yield SettingError((name, old), f"is the old name of {current}; set only one of them")
    for old_path, path in MOVED.items():
        if old_path[1] in _table(document, old_path[0]) and path[1] in _table(document, path[0]):
            yield SettingError(old_path, f"is the old name of {'.'.join(path)}; set only one of them")


def as_written(error: SettingError, document: Mapping[str, Any]) -> SettingError:
    """Return an error under the old name of its setting, if that is the one in the document."""
    olds = {new: old for old, new in MOVED.items()}
    for name, renamed in RENAMED.items():
        olds |= {(name, current): (name, old) for old, current in renamed.items()}
    for new, old in olds.items():
        if error.path == new and old[1] in _table(document, old[0]) and new[1] not in _table(document, new[0]):
            return SettingError(old, error.problem)
    return error


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}
