"""How an item that a dialect emits differs from the item that was sent, field by field. Pure.

Fields are named as the vendor names them. What no schema of the dialect names is `*`: a client's own field.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.dialect import OutboundItem
from gateway.ingest.registry import Installed
from gateway.operate.loss.compare import same

Steps = tuple[str, ...]
PAGE = Path(__file__).parents[2] / "docs" / "loss.md"
WRAPPED = "payload"
OPEN = ("properties", "traits")


def listed(title: str) -> set[tuple[str, str]]:
    """Return the fields and differences in the table of a vendor, each of which says why."""
    back = PAGE.read_text("utf-8").partition("\n## Back to the same vendor\n")[2].partition("\n## ")[0]
    rows = re.findall(
        r"^\| `(.+)` \| (.+) \| .+\. \|$", back.partition(f"\n### {title}\n")[2].partition("\n### ")[0], re.M
    )
    assert len(rows) == len(set(rows))
    return set(rows)


def known_fields(installed: Installed) -> frozenset[str]:
    """Return the fields that the schemas of a dialect name."""
    found: set[str] = set()
    for schema in installed.schemas.values():
        _collect(schema.document, found)
    return frozenset(found)


def differences(sent: Mapping[str, Any], emitted: OutboundItem, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield each field that differs, and how: `added`, `left out`, `respelled`, or where it moved to."""
    before, after = dict(_leaves(sent)), dict(_leaves(emitted.payload))
    beside = {**emitted.beside.query, **emitted.beside.headers, **emitted.beside.fields}
    moved: set[Steps] = set()
    for path, value in before.items():
        if path in after:
            if not same(value, after[path]):
                yield _field(path, known), "respelled"
            continue
        elsewhere = [other for other, each in after.items() if other not in before and same(each, value)]
        elsewhere = [other for other in elsewhere if other[-1] == path[-1] or other[-1] not in sent]
        if value in ("", []):
            yield _field(path, known), "left out: it was empty"
        elif elsewhere:
            moved.add(elsewhere[0])
            if _field(elsewhere[0], known) != _field(path, known):
                yield _field(path, known), f"moved to `{_field(elsewhere[0], known)}`"
        elif value in beside.values() or value == emitted.beside.client_ip:
            yield _field(path, known), "moved beside the item"
        else:
            yield _field(path, known), "left out"
    for path in after:
        if path not in before and path not in moved:
            yield _field(path, known), "added"


def _leaves(payload: Mapping[str, Any], path: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    for name, value in payload.items():
        if name == WRAPPED and isinstance(value, dict) and not path:
            yield from _leaves(value)
        elif isinstance(value, dict) and value and len(path) < 1:
            yield from _leaves(value, (*path, name))
        elif path or (value is not None and value != {}):  # which say nothing
            yield (*path, name), value


def _field(path: Steps, known: frozenset[str]) -> str:
    if path[0] in OPEN and len(path) > 1:
        return f"{path[0]}.*"
    return ".".join(path) if path[0] in known else "*"


def _collect(schema: object, found: set[str]) -> None:
    if isinstance(schema, dict):
        for keyword, value in schema.items():
            if keyword == "properties":
                found.update(value)
            _collect(value, found)
    elif isinstance(schema, list):
        for each in schema:
            _collect(each, found)
