"""Statements over many rows at once. Text and chunks only.

sqlite3 lets go of the GIL and takes it back around every step. Beside a busy event loop each of these costs up to 5 ms,
so `executemany`, a statement a row and a row a fetch are traps: here, many rows make one step, whichever way they go.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
CHUNK = 250


@lru_cache(maxsize=8192)
def _values(head: str, row: str, rows: int, tail: str) -> str:
    return head + "VALUES " + ",".join([row] * rows) + tail


def bulk_insert(
    connection: sqlite3.Connection,
    head: str,
    width: int,
    flat: Sequence[object],
    tail: str = "",
    chunk: int = CHUNK,
    row: str = "",
) -> None:
    """Run `head VALUES (...), (...) tail` over the rows that lie one after the other in `flat`, a chunk a statement.

    `row` is a row's text where it is more than marks.
    """
    row = row or _row(width)
    step = width * chunk
    for start in range(0, len(flat), step):
        part = flat[start : start + step]
        connection.execute(_values(head, row, len(part) // width, tail), part)


def _row(width: int) -> str:
    return "(" + ",".join("?" * width) + ")"


def _filled(asked: Sequence[T], chunk: int) -> Iterator[list[T]]:
    """Yield the elements in parts, each filled up to a power of two with its last: so few texts are ever prepared."""
    for start in range(0, len(asked), chunk):
        part = list(asked[start : start + chunk])
        yield part + part[-1:] * ((1 << (len(part) - 1).bit_length()) - len(part))


@lru_cache(maxsize=64)
def _marks(text: str, count: int) -> str:
    return text.replace("(?)", "(" + ",".join([f"?{number}" for number in range(1, count + 1)]) + ")")


def select_in(connection: sqlite3.Connection, text: str, keys: Sequence[object], chunk: int = 4096) -> Iterator[str]:
    """Run the query, whose every `(?)` becomes the list of keys; each run gives one text, an empty one is left out."""
    for part in _filled(keys, chunk):
        (found,) = connection.execute(_marks(text, len(part)), part).fetchone()
        if found:
            yield found


def select_pairs(
    connection: sqlite3.Connection, text: str, asked: Sequence[tuple[int, bytes]], chunk: int = 256
) -> Iterator[str]:
    """Run the query, which finds what is asked in a table `asked (bucket, key)`; each run gives one text, if any."""
    for part in _filled(asked, chunk):
        head = _values("WITH asked (bucket, key) AS (", _row(2), len(part), ") ")
        (found,) = connection.execute(head + text, [value for pair in part for value in pair]).fetchone()
        if found:
            yield found
