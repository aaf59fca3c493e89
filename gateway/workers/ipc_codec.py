"""Entries and answers as bytes between two processes, and back. The shapes come from attrs; no IO here.

marshal, because both ends are one programme: a batch of a hundred events takes it 8 microseconds to write and 6 to
read; pickle and JSON take more. It is not for strangers' bytes: the socket is the owner's alone. A front started after
an upgrade may meet a writer from before it, so the two compare LAYOUT before anything else.
"""

import enum
import marshal
import struct
import sys
import types
import typing
from collections.abc import Callable
from functools import partial
from itertools import starmap
from operator import attrgetter
from typing import Any

import attrs

from gateway import __version__
from gateway.storage.contract import Appended, Entry

Step = Callable[[Any], Any]
PLAIN = (str, bytes, int, float, bool, types.NoneType)
MARSHAL = 2  # from version 3 on it looks for equal objects, which costs half as much again
HEAD = struct.Struct("<I")


def encode(message: tuple[Any, ...]) -> bytes:
    """Return a message of plain values as a frame. Raises ValueError on what marshal does not take."""
    body = marshal.dumps(message, MARSHAL)
    return HEAD.pack(len(body)) + body


class Frames:
    """Cuts what a socket gives into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """Return the messages that these bytes complete. Raises ValueError, EOFError or TypeError on anything else."""
        rest = self._rest
        if not rest:  # most often a read ends where a frame does
            messages, start = _cut(data)
            rest += data[start:]
            return messages
        rest += data
        messages, start = _cut(rest)
        del rest[:start]
        return messages


def _cut(data: bytes | bytearray) -> tuple[list[Any], int]:
    """Return the messages at the front of the data, and where they end."""
    messages = []
    start, end = 0, len(data)
    with memoryview(data) as view:
        while end - start >= HEAD.size:
            stop = start + HEAD.size + HEAD.unpack_from(view, start)[0]
            if stop > end:
                break
            # Our own programme wrote it, on a socket that only this user can open.
            messages.append(marshal.loads(view[start + HEAD.size : stop]))  # noqa: S302
            start = stop
    return messages, start


def steps(kind: Any) -> tuple[Step, Step]:
    """Return what turns a value of a type into what marshal takes, and what turns that back. Raises TypeError.

    Known are attrs classes, enums, tuples of any length, optional and plain values.
    """
    if kind in PLAIN:
        return _same, _same
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return attrgetter("value"), kind
    if attrs.has(kind):
        return _class(kind)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and inner[1:] == (...,):
        return _many(inner[0])
    if origin in (types.UnionType, typing.Union):
        some = [steps(each) for each in inner if each is not types.NoneType]
        if all(down is _same for down, _ in some):
            return _same, _same
        if len(some) == 1:
            return partial(_optional, some[0][0]), partial(_optional, some[0][1])
    raise TypeError(f"{kind!r} has no shape to be sent in")


def _same(value: Any) -> Any:
    return value


def _optional(step: Step, value: Any) -> Any:
    return None if value is None else step(value)


def _many(kind: Any) -> tuple[Step, Step]:
    down, up = steps(kind)
    if down is _same:
        return _same, _same
    if isinstance(down, attrgetter) and attrs.has(kind):  # rows: most of what is ever sent, so without a call of ours
        return lambda values: list(map(down, values)), lambda rows: tuple(starmap(kind, rows))
    return lambda values: list(map(down, values)), lambda rows: tuple(map(up, rows))


def _class(kind: Any) -> tuple[Step, Step]:
    fields = attrs.fields(attrs.resolve_types(kind))
    if not all(field.init and not field.kw_only for field in fields):
        raise TypeError(f"{kind!r} has fields that are not positional")
    inner = [(index, *steps(field.type)) for index, field in enumerate(fields)]
    downs = [(index, down) for index, down, _ in inner if down is not _same]
    ups = [(index, up) for index, _, up in inner if up is not _same]
    names = [field.name for field in fields]
    get = attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)
    if not downs:
        return get, lambda row: kind(*row)

    def down(value: Any) -> list[Any]:
        row = list(get(value))
        for index, step in downs:
            row[index] = step(row[index])
        return row

    def up(row: list[Any]) -> Any:
        for index, step in ups:
            row[index] = step(row[index])
        return kind(*row)

    return down, up


def _layout(kind: Any) -> str:
    """Return a type's fields, and those of the types in them, as one text."""
    if not attrs.has(kind):
        return " ".join([str(kind), *map(_layout, typing.get_args(kind))]) if typing.get_args(kind) else str(kind)
    parts = [f"{field.name}: {_layout(field.type)}" for field in attrs.fields(attrs.resolve_types(kind))]
    return f"{kind.__name__}({', '.join(parts)})"


LAYOUT = f"{__version__} {sys.version_info[:2]} {_layout(Entry)} {_layout(Appended)}"
entry_down, entry_up = steps(Entry)
appended_down, appended_up = steps(Appended)
