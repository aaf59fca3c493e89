"""A row of the log holds many events: their lines in one text, their keys in one blob. Pure.

A row an event cost more in statements, cells and half-empty pages than its bytes did. The rows of an older file hold
one event each, and may have no keys: they are chunks of one.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

import orjson

from gateway.storage.contract import EventRow

KEY_BYTES = 16
PROJECT = b'{"project":'
NO_KEY = bytes(KEY_BYTES)
# So many bytes end a chunk: the last page of each is half empty, and who wants one event reads its whole chunk.
CHUNK_BYTES = 128 * 1024


def chunks(rows: Sequence[EventRow], position: int) -> list[object]:
    """Return the log's rows for events that follow a position: the last one's position, keys and lines of each, flat.

    Raises ValueError on a key of another size and on a line that is two, UnicodeDecodeError on what is not UTF-8.
    """
    keys, bodies = [row.key or NO_KEY for row in rows], [row.body for row in rows]
    sizes = list(accumulate(map(len, bodies)))
    flat: list[object] = []
    start = size = 0
    while start < len(rows):
        end = min(bisect_left(sizes, size + CHUNK_BYTES) + 1, len(rows))
        flat += (position + end, *_chunk(keys[start:end], bodies[start:end]))
        start, size = end, sizes[end - 1]
    return flat


def _chunk(parts: list[bytes], bodies: list[bytes]) -> tuple[bytes, bytes]:
    keys, lines = b"".join(parts), b"\n".join(bodies)
    if len(keys) != KEY_BYTES * len(parts) or lines.count(b"\n") != len(bodies) - 1:
        raise ValueError("an event's key has another size than sixteen bytes, or its line is not one line")
    if not lines.isascii():
        lines.decode()  # SQLite would take it as it is
    return keys, lines


def events(last: int, lines: bytes) -> Iterable[tuple[int, bytes]]:
    """Return the position and the line of each event of a chunk."""
    found = lines.split(b"\n")
    return zip(range(last - len(found) + 1, last + 1), found, strict=True)


def of_project(found: Iterable[tuple[int, bytes]], project: str) -> list[tuple[int, bytes]]:
    """Return those events that are a project's: the canonical line begins with it."""
    named = PROJECT + orjson.dumps(project)
    ours = (named + b",", named + b"}")
    return [event for event in found if event[1].startswith(ours) or _says(event[1], project)]


def _says(line: bytes, project: str) -> bool:
    if line.startswith(PROJECT + b'"') and b"\\" not in line[: line.find(b'"', len(PROJECT) + 1)]:
        return False
    event = orjson.loads(line)  # written in another way than ours
    return isinstance(event, dict) and event.get("project") == project


def keys_of(keys: bytes | None) -> list[bytes]:
    """Return the keys of a chunk's events, those that have one."""
    whole = keys or b""
    found = [whole[start : start + KEY_BYTES] for start in range(0, len(whole), KEY_BYTES)]
    return [key for key in found if key != NO_KEY]
