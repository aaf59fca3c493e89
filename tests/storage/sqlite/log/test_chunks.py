"""Chunks: many events in a row of the log, each found again with its position, its line and its key."""

import pytest

from gateway.storage.contract import EventRow
from gateway.storage.sqlite.log.chunks import CHUNK_BYTES, chunks, events, keys_of
from gateway.testing.engine.given.entries import body, key, row


def test_a_chunk_gives_back_positions_lines_and_keys() -> None:
    rows = [row(1), EventRow(body(2)), row(3)]

    last, keys, lines = chunks(rows, 10)

    assert (last, keys) == (13, key(1) + bytes(16) + key(3))
    assert isinstance(lines, bytes)
    assert list(events(13, lines)) == [(11, body(1)), (12, body(2)), (13, body(3))]
    assert keys_of(key(1) + bytes(16) + key(3)) == [key(1), key(3)]


def test_a_row_of_an_older_file_is_a_chunk_of_one_with_a_key_or_without() -> None:
    assert (list(events(7, body(7))), keys_of(key(7)), keys_of(None)) == ([(7, body(7))], [key(7)], [])


def test_a_chunk_ends_once_it_is_large_enough() -> None:
    large = EventRow(b'"' + b"x" * CHUNK_BYTES + b'"')

    assert chunks([row(1), large, row(2), row(3)], 0)[::3] == [2, 4]
    assert chunks([], 5) == []


@pytest.mark.parametrize(
    "poison", [EventRow(b"{}\n{}"), EventRow(b"{}", b"short"), EventRow(b"{}", b"a key that is too long")]
)
def test_events_that_could_not_be_separated_again_are_refused(poison: EventRow) -> None:
    with pytest.raises(ValueError, match="sixteen bytes"):
        chunks([row(1), poison], 0)
