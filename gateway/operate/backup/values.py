"""Rows as lines of JSON, and back. Pure. The inverse functions raise ValueError on what a gateway would not write.

JSON has no bytes: they are `{"base64": "..."}`. A row is a list, one of `batch` an object.
"""

import base64
import binascii
import datetime
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import orjson

from gateway.storage.moving import LogBatch, MovedReceipt, Row

KEY_BYTES = 16
PART = 4 << 20
"""Bytes of a file in one row of `files`."""
FILE_COLUMNS = ("project", "name", "part", "parts", "content")
RECEIPT_COLUMNS = tuple([field.name for field in attrs.fields(MovedReceipt)])


def line_of(row: Sequence[object]) -> bytes:
    """Return a row as a line of JSON."""
    return orjson.dumps(row, default=_encoded)


def row_of(line: bytes, columns: int) -> Row:
    """Return the row that a line has, with so many columns."""
    row = orjson.loads(line)
    if not isinstance(row, list) or len(row) != columns:
        raise ValueError("a row has other columns than the backup says")
    return tuple([_decoded(value) if isinstance(value, dict | list) else value for value in row])


def key_lines(rows: Sequence[Row]) -> list[bytes]:
    """Return rows of the table `keys`, of which there are very many: a line for many keys of one project."""
    projects: dict[str, list[bytes]] = {}
    for project, key in rows:
        projects.setdefault(project, []).append(key)
    return [line_of((project, b"".join(keys))) for project, keys in projects.items()]


def keys_of(line: bytes) -> list[Row]:
    """Return the rows that a line of key_lines has."""
    project, joined = row_of(line, 2)
    if not isinstance(joined, bytes) or not isinstance(project, str) or not joined or len(joined) % KEY_BYTES:
        raise ValueError("a row has no keys")
    return [(project, joined[at : at + KEY_BYTES]) for at in range(0, len(joined), KEY_BYTES)]


def file_lines(project: str, name: str, content: bytes) -> Iterator[bytes]:
    """Yield a file as the rows of its parts."""
    parts = max(1, -(-len(content) // PART))
    for part in range(parts):
        yield line_of((project, name, part, parts, content[part * PART : (part + 1) * PART]))


def receipt_line(receipt: MovedReceipt) -> bytes:
    """Return a receipt as a row."""
    return line_of(attrs.astuple(receipt, recurse=False))


def receipt_of(line: bytes) -> MovedReceipt:
    """Return the receipt that a line has."""
    row = dict(zip(RECEIPT_COLUMNS, row_of(line, len(RECEIPT_COLUMNS)), strict=True))
    place = row["place"]
    if place is not None:
        row["place"] = _place(place)
    _check(all(_is_number(row[name]) for name in ("id", "received_at", "count")), "a receipt")
    _check(all(isinstance(row[name], str) for name in ("project", "dialect", "route")), "a receipt")
    _check(all(row[name] is None or isinstance(row[name], bytes) for name in ("items", "raw")), "a receipt")
    _check((row["position"] is None or _is_number(row["position"])) and not (row["position"] is place is None), "it")
    return MovedReceipt(**row)


def batch_line(batch: LogBatch) -> bytes:
    """Return what a batch has beside events and receipts: a list for each, with one value for each event."""
    keys = [None if each is None else (each[0], each[1].hex()) for each in batch.keys]
    columns = {"positions": batch.positions, "places": batch.places, "days": batch.days, "keys": keys}
    return orjson.dumps(columns)


def batch_of(line: bytes, lines: Sequence[bytes], receipts: Sequence[MovedReceipt]) -> LogBatch:
    """Return the batch of these events and receipts."""
    found = orjson.loads(line)
    _check(isinstance(found, dict), "a batch")
    columns = [found.get(name) for name in ("positions", "places", "days", "keys")]
    _check(all(isinstance(each, list) and len(each) == len(lines) for each in columns), "a batch")
    positions, places, days, keys = columns
    _check(all(each is None or _is_number(each) for each in positions), "a batch")
    return LogBatch(
        cursor=[],
        lines=lines,
        positions=positions,
        places=[None if each is None else _place(each) for each in places],
        days=[datetime.date.fromisoformat(each) for each in days],
        keys=[None if each is None else (str(each[0]), _key(each[1])) for each in keys],
        receipts=receipts,
    )


def _check(is_right: bool, what: str) -> None:
    if not is_right:
        raise ValueError(f"{what} has other values than a gateway writes")


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63


def _place(value: Any) -> tuple[int, int]:
    _check(isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value)), "a place")
    return value[0], value[1]


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    _check(len(key) == KEY_BYTES, "a key")
    return key


def _encoded(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(f"a row has a {type(value).__name__}, which no backup can hold")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(each) if isinstance(each, dict | list) else each for each in value]
    if list(value) != ["base64"] or not isinstance(value["base64"], str):
        raise ValueError("a row has another value than a gateway writes")
    try:
        return base64.b64decode(value["base64"], validate=True)
    except binascii.Error:
        raise ValueError("a row has bytes that are no base64") from None
