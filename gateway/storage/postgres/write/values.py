"""Many values as few parameters of a statement. Pure.

asyncpg encodes each element of an array by itself. For the rows of a group that costs more than deciding on them. One
text or one run of bytes costs next to nothing, and the server takes it apart as fast as an array.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
KEY_BYTES = 16


def numbers(values: Iterable[object]) -> str:
    """Return whole numbers as the text of an array: "{1,2,3}", for `$1::text::bigint[]`."""
    return f"{{{','.join(map(str, values))}}}"


def placed(values: Sequence[T]) -> tuple[list[T], str]:
    """Return the different values and, as text of an array, each one's place among them, the first being 1.

    Such as (["shop", "blog"], "{1,1,2}"), for `($1::text[])[place]` and `unnest($2::text::int[]) AS asked (place)`.
    """
    places = {value: place for place, value in enumerate(dict.fromkeys(values), 1)}
    return list(places), numbers([places[value] for value in values])


def run_of(keys: Iterable[bytes]) -> bytes:
    """Return dedupe keys one after the other, for `substring($1::bytea FROM (number - 1) * 16 + 1 FOR 16)`."""
    found = list(keys)
    run = b"".join(found)
    assert len(run) == KEY_BYTES * len(found), "a dedupe key has 16 bytes"
    return run
