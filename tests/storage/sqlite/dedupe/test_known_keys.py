"""Known keys: flushed a slice with each commit, remembered only after it, and found at any point in between."""

import sqlite3
import struct

import pytest

from gateway.storage.sqlite.dedupe.generations import Generations
from gateway.storage.sqlite.dedupe.known_keys import KnownKeys
from gateway.storage.sqlite.log.chunks import keys_of
from gateway.testing.engine.given.entries import key
from tests.storage.sqlite.dedupe.committing import commit, on_disk
from tests.storage.stores import Clock


def in_memory(known_keys: KnownKeys) -> set[bytes]:
    return {key for bucket in (*known_keys.memtable, *known_keys.immutable) for key in keys_of(bytes(bucket))}


def watermark(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT value FROM meta WHERE name = 'watermark'").fetchone()[0]


def test_a_flush_goes_slice_by_slice_and_the_watermark_moves_with_the_last(
    connection: sqlite3.Connection,
) -> None:
    known_keys = KnownKeys(max_memtable_keys=6)
    keys = [key(number) for number in range(6)]
    commit(connection, known_keys, 0, *reversed(keys))

    steps = []
    for number in range(3):
        commit(connection, known_keys, 6 + number, key(f"new {number}"))
        steps.append((len(on_disk(connection)), watermark(connection), known_keys.find(connection, keys) == set(keys)))

    assert steps == [(2, 0, True), (4, 0, True), (6, 6, True)]
    assert on_disk(connection) == keys
    assert in_memory(known_keys) == {key("new 0"), key("new 1"), key("new 2")}


def test_a_commit_that_failed_leaves_memory_as_it_was_and_its_slice_is_written_again(
    connection: sqlite3.Connection,
) -> None:
    known_keys = KnownKeys(max_memtable_keys=4)
    keys = [key(number) for number in range(4)]
    commit(connection, known_keys, 0, *keys)

    connection.execute("BEGIN")
    assert known_keys.flush(connection, 4, 1) == 2
    connection.execute("ROLLBACK")

    assert known_keys.find(connection, [*keys, key("failed")]) == set(keys)
    assert [commit(connection, known_keys, 4), commit(connection, known_keys, 4)] == [1, 1]
    assert [commit(connection, known_keys, 4, key("a")), watermark(connection)] == [2, 4]
    assert on_disk(connection) == keys


def test_a_flush_keeps_ahead_of_what_is_added(connection: sqlite3.Connection) -> None:
    known_keys = KnownKeys(max_memtable_keys=100)
    sizes = []
    for number in range(100):
        commit(connection, known_keys, number * 10, *[key((number, each)) for each in range(10)])
        sizes.append(len(in_memory(known_keys)))

    assert max(sizes) <= 200
    assert (
        len(known_keys.find(connection, [key((number, each)) for number in range(100) for each in range(10)])) == 1000
    )


def test_one_look_up_finds_keys_in_memory_and_in_both_generations(connection: sqlite3.Connection) -> None:
    known_keys = KnownKeys(max_memtable_keys=2)
    commit(connection, known_keys, 0, key("previous"), key("too"))
    commit(connection, known_keys, 2)
    generations = Generations(0.0, Clock(), known_keys.rotate)
    generations.load(connection)
    generations.step(connection)()
    commit(connection, known_keys, 2, key("current"), key("also"))
    commit(connection, known_keys, 4)
    commit(connection, known_keys, 4, key("immutable"), key("as well"))
    assert known_keys.flush(connection, 6, 0) == 1
    known_keys.remember([key("memtable")], 0)
    known = {key(name) for name in ("previous", "too", "current", "also", "immutable", "as well", "memtable")}

    assert in_memory(known_keys) == {key("immutable"), key("as well"), key("memtable")}
    assert known_keys.find(connection, [*known, key("unknown")]) == known
    assert known_keys.find(connection, [key(number) for number in range(10_000)]) == set()
    assert known_keys.find(connection, []) == set()


def test_a_key_of_another_size_is_an_error(connection: sqlite3.Connection) -> None:
    with pytest.raises((ValueError, struct.error)):
        KnownKeys().find(connection, [b"fifteen bytes, "])


def test_keys_in_memory_at_a_rotation_are_known_through_the_next_one(connection: sqlite3.Connection) -> None:
    known_keys = KnownKeys(max_memtable_keys=3)
    generations = Generations(0.0, Clock(), known_keys.rotate)
    generations.load(connection)
    known_keys.remember([key("a"), key("b"), key("c")], 0)
    generations.step(connection)()
    while in_memory(known_keys):
        commit(connection, known_keys, 3)
    generations.step(connection)()

    assert known_keys.find(connection, [key("a"), key("b"), key("c"), key("d")]) == {key("a"), key("b"), key("c")}


def test_look_ups_search_and_never_scan(connection: sqlite3.Connection) -> None:
    known_keys = KnownKeys(max_memtable_keys=100)
    commit(connection, known_keys, 0, *[key(number) for number in range(100)])
    commit(connection, known_keys, 100, *[key(number) for number in range(100, 200)])
    plans: list[str] = []
    connection.set_trace_callback(plans.append)
    known_keys.find(connection, [key(number) for number in range(3000)])
    connection.set_trace_callback(None)

    plan = connection.execute("EXPLAIN QUERY PLAN " + plans[0]).fetchall()
    touched = [str(line[3]) for line in plan if str(line[3]).split()[1] == "s"]
    assert touched == ["SEARCH s USING PRIMARY KEY (bucket=?)"] * 2
