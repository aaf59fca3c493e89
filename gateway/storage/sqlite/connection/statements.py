"""Statements over many rows at once, for the writer's thread. No table is named here.

sqlite3 releases the GIL and takes it back around every step. Beside a busy event loop each step costs up to 5 ms, so
`executemany`, one statement for each row, and fetching row by row are traps. Here many rows are one step, both when
they are written and when they are read.
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
    """Run `head VALUES (...), (...) tail`, with up to `chunk` rows in one statement.

    `flat` holds the values of all rows one after the other, `width` values each. `row` is the text of one row, if it is
    more than question marks.
    """
    row = row or _row(width)
    step = width * chunk
    for start in range(0, len(flat), step):
        part = flat[start : start + step]
        connection.execute(_values(head, row, len(part) // width, tail), part)


def _row(width: int) -> str:
    return "(" + ",".join("?" * width) + ")"


def _padded(elements: Sequence[T], chunk: int) -> Iterator[list[T]]:
    """Yield the elements in parts of up to `chunk`, padded with their last to a power of two.

    So there are only a few different statements to prepare.
    """
    for start in range(0, len(elements), chunk):
        part = list(elements[start : start + chunk])
        yield part + part[-1:] * ((1 << (len(part) - 1).bit_length()) - len(part))


@lru_cache(maxsize=64)
def _marks(text: str, count: int) -> str:
    return text.replace("(?)", "(" + ",".join([f"?{number}" for number in range(1, count + 1)]) + ")")


def select_in(connection: sqlite3.Connection, text: str, keys: Sequence[object], chunk: int = 4096) -> Iterator[str]:
    """Run a query with up to `chunk` keys at a time, and yield each result that is not empty.

    The query returns one text, for example by `group_concat`. Each `(?)` in it becomes the list of keys.
    """
    for part in _padded(keys, chunk):
        (found,) = connection.execute(_marks(text, len(part)), part).fetchone()
        if found:
            yield found


def select_pairs(
    connection: sqlite3.Connection, text: str, pairs: Sequence[tuple[int, bytes]], chunk: int = 256
) -> Iterator[str]:
    """Do the same with pairs, which the query finds in a table `wanted (bucket, key)`."""
    for part in _padded(pairs, chunk):
        head = _values("WITH wanted (bucket, key) AS (", _row(2), len(part), ") ")
        (found,) = connection.execute(head + text, [value for pair in part for value in pair]).fetchone()
        if found:
            yield found
