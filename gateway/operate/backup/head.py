"""What a backup says of itself, in its first member. Pure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from gateway.operate.backup import members
from gateway.operate.backup.members import BackupError
from gateway.storage.moving import TABLES

MOST = 1 << 20
"""Bytes of it."""


def no_backup(path: Path) -> BackupError:
    """Return the error of a file that begins with something else."""
    return BackupError(f"{path} is no backup, or its beginning is damaged")


def head_of(path: Path, name: str, content: bytes) -> Mapping[str, Any]:
    """Return what the first member says. Raises BackupError on another file, and on a newer format."""
    try:
        head = orjson.loads(content) if name == members.FIRST and len(content) <= MOST else {}
    except ValueError:
        head = {}
    is_ours = isinstance(head, dict) and head.get("format") == members.FORMAT
    if not is_ours or not isinstance(head.get("version"), int):
        raise no_backup(path)
    if head["version"] > members.VERSION:
        raise BackupError(f"{path} was made by a newer gateway, {_gateway(head)}; upgrade this one")
    return dict(head)


def _gateway(head: Mapping[str, Any]) -> str:
    return str(head.get("gateway"))[:60]


def columns_of(path: Path, head: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the columns of the tables that a backup has. Raises BackupError on those of a newer gateway.

    What is no such head raises ValueError, KeyError, TypeError or AttributeError.
    """
    found = {str(table): tuple(map(str, columns)) for table, columns in head["tables"].items()}
    unknown = [
        table for table, columns in found.items() if table not in TABLES or not set(columns) <= set(TABLES[table])
    ]
    if not isinstance(head["id"], str):
        raise ValueError("it has no id")
    if unknown:
        raise BackupError(
            f"{path} is damaged, or was made by a newer gateway, {_gateway(head)}: it has a table {unknown[0][:60]} "
            "that this one does not know; upgrade this one"
        )
    return found
