"""Chunks: one row of the log holds many events, their lines in one text and their keys in one blob. Pure.

With one row for each event, statements, cells and half-empty pages cost more than the bytes themselves. A row of an
older file holds one event and may have no keys: it is a chunk of one.

An event that was removed leaves its line empty, and its key: the positions of the others stay what they were, and a
late retry is still known. The column `gone` of such a row is 1, else NULL: SQLite reads either without the contents.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from gateway.storage.contract import EventRow

KEY_BYTES = 16
NO_KEY = bytes(KEY_BYTES)
CHUNK_BYTES = 128 * 1024
"""A chunk ends once its lines reach this size. Small chunks waste half of their last page; large ones make it slow
to read a single event."""
SMALL_BYTES = CHUNK_BYTES // 4
"""A chunk below this size is merged with its neighbours (merge.py). A larger one wastes a sixteenth at most."""


def chunks(rows: Sequence[EventRow], position: int) -> list[object]:
    """Return the rows of the log for events that follow a position, as one flat list.

    Each chunk is three values: the position of its last event, its keys, its lines. Two small events after position 10
    are `[12, key + key, line + b"\\n" + line]`. Raises ValueError on a key that is not 16 bytes long and on a line with
    a line break in it, UnicodeDecodeError on a line that is not UTF-8.
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


def _chunk(each_key: list[bytes], bodies: list[bytes]) -> tuple[bytes, bytes]:
    keys, lines = b"".join(each_key), b"\n".join(bodies)
    if len(keys) != KEY_BYTES * len(each_key) or lines.count(b"\n") != len(bodies) - 1:
        raise ValueError("an event's key has another size than sixteen bytes, or its line is not one line")
    if not lines.isascii():
        lines.decode()  # SQLite does not check that a text is UTF-8
    return keys, lines


def events(last: int, lines: bytes) -> Iterable[tuple[int, bytes]]:
    """Return `(position, line)` of each event of a chunk, given the position of its last; removed ones are left out."""
    found = lines.split(b"\n")
    return [event for event in enumerate(found, last - len(found) + 1) if event[1]]


def has_gone(lines: bytes) -> int | None:
    """Return the value of the column `gone` for a chunk's lines: 1 if an event was removed, else None."""
    is_gone = not lines or lines.startswith(b"\n") or lines.endswith(b"\n") or b"\n\n" in lines
    return 1 if is_gone else None


def keys_of(keys: bytes | None) -> list[bytes]:
    """Return the keys of a chunk's events, without those of events that have none."""
    whole = keys or b""
    found = [whole[start : start + KEY_BYTES] for start in range(0, len(whole), KEY_BYTES)]
    return [key for key in found if key != NO_KEY]
