"""Merging: a slice a commit, memory published only after it, nothing unknown at any point in between."""

import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.storage.sqlite.chunks import keys_of
from gateway.storage.sqlite.dedupe.generations import Generations
from gateway.storage.sqlite.dedupe.known_keys import KnownKeys
from gateway.storage.sqlite.tables import UPGRADES, upgrade
from tests.storage.stores import Clock, key


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(made, Path("memory"))
    yield made
    made.close()


def commit(connection: sqlite3.Connection, seen: KnownKeys, position: int, *keys: bytes) -> int:
    """One commit as the ledger makes it; returns the size of the slice that went with it."""
    connection.execute("BEGIN")
    merged = seen.merge(connection, position, len(keys))
    connection.execute("COMMIT")
    seen.remember(keys, merged)
    return merged


def on_disk(connection: sqlite3.Connection) -> list[bytes]:
    return sorted(key for (keys,) in connection.execute("SELECT keys FROM seen_current") for key in keys_of(keys))


def in_memory(seen: KnownKeys) -> set[bytes]:
    return {key for bucket in (*seen.memtable, *seen.immutable) for key in keys_of(bytes(bucket))}


def watermark(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT value FROM meta WHERE name = 'watermark'").fetchone()[0]


def test_a_merge_goes_in_order_slice_by_slice_and_the_watermark_comes_with_the_last(
    connection: sqlite3.Connection,
) -> None:
    seen = KnownKeys(bound=6)
    keys = [key(number) for number in range(6)]
    commit(connection, seen, 0, *reversed(keys))

    steps = []
    for number in range(3):
        commit(connection, seen, 6 + number, key(f"new {number}"))
        steps.append((len(on_disk(connection)), watermark(connection), seen.find(connection, keys) == set(keys)))

    assert steps == [(2, 0, True), (4, 0, True), (6, 6, True)]
    assert on_disk(connection) == keys
    assert in_memory(seen) == {key("new 0"), key("new 1"), key("new 2")}


def test_a_commit_that_failed_leaves_memory_as_it_was_and_its_slice_is_written_again(
    connection: sqlite3.Connection,
) -> None:
    seen = KnownKeys(bound=4)
    keys = [key(number) for number in range(4)]
    commit(connection, seen, 0, *keys)

    connection.execute("BEGIN")
    assert seen.merge(connection, 4, 1) == 2
    connection.execute("ROLLBACK")

    assert seen.find(connection, [*keys, key("failed")]) == set(keys)
    assert [commit(connection, seen, 4), commit(connection, seen, 4)] == [1, 1]
    assert [commit(connection, seen, 4, key("a")), watermark(connection)] == [2, 4]
    assert on_disk(connection) == keys


def test_a_merge_keeps_ahead_of_what_is_added(connection: sqlite3.Connection) -> None:
    seen = KnownKeys(bound=100)
    sizes = []
    for number in range(100):
        commit(connection, seen, number * 10, *[key((number, each)) for each in range(10)])
        sizes.append(len(in_memory(seen)))

    assert max(sizes) <= 200
    assert len(seen.find(connection, [key((number, each)) for number in range(100) for each in range(10)])) == 1000


def test_one_look_up_finds_keys_in_memory_and_in_both_generations(connection: sqlite3.Connection) -> None:
    seen = KnownKeys(bound=2)
    commit(connection, seen, 0, key("previous"), key("too"))
    commit(connection, seen, 2)
    generations = Generations(0.0, Clock(), seen.rotate)
    generations.load(connection)
    generations.step(connection)()
    commit(connection, seen, 2, key("current"), key("also"))
    commit(connection, seen, 4)
    commit(connection, seen, 4, key("frozen"), key("as well"))
    assert seen.merge(connection, 6, 0) == 1
    seen.remember([key("recent")], 0)
    known = {key(name) for name in ("previous", "too", "current", "also", "frozen", "as well", "recent")}

    assert in_memory(seen) == {key("frozen"), key("as well"), key("recent")}
    assert seen.find(connection, [*known, key("unknown")]) == known
    assert seen.find(connection, [key(number) for number in range(10_000)]) == set()
    assert seen.find(connection, []) == set()


def test_a_key_of_another_size_is_an_error(connection: sqlite3.Connection) -> None:
    with pytest.raises((ValueError, struct.error)):
        KnownKeys().find(connection, [b"fifteen bytes, "])


def test_what_memory_holds_at_a_turn_is_known_through_the_next_one(connection: sqlite3.Connection) -> None:
    seen = KnownKeys(bound=3)
    generations = Generations(0.0, Clock(), seen.rotate)
    generations.load(connection)
    seen.remember([key("a"), key("b"), key("c")], 0)
    generations.step(connection)()
    while in_memory(seen):
        commit(connection, seen, 3)
    generations.step(connection)()

    assert seen.find(connection, [key("a"), key("b"), key("c"), key("d")]) == {key("a"), key("b"), key("c")}


def test_look_ups_search_and_never_scan(connection: sqlite3.Connection) -> None:
    seen = KnownKeys(bound=100)
    commit(connection, seen, 0, *[key(number) for number in range(100)])
    commit(connection, seen, 100, *[key(number) for number in range(100, 200)])
    plans: list[str] = []
    connection.set_trace_callback(plans.append)
    seen.find(connection, [key(number) for number in range(3000)])
    connection.set_trace_callback(None)

    plan = connection.execute("EXPLAIN QUERY PLAN " + plans[0]).fetchall()
    touched = [str(line[3]) for line in plan if str(line[3]).split()[1] == "s"]
    assert touched == ["SEARCH s USING PRIMARY KEY (bucket=?)"] * 2


def test_the_keys_of_an_older_file_are_found_where_they_are_looked_for(tmp_path: Path) -> None:
    old = sqlite3.connect(":memory:", isolation_level=None)
    for statement in (statement for step in UPGRADES[:2] for statement in step):
        old.execute(statement)
    old.execute("PRAGMA user_version = 2")
    old.executemany("INSERT INTO seen_current VALUES (?)", [(key(number),) for number in range(1000)])
    old.executemany("INSERT INTO seen_previous VALUES (?)", [(key(number),) for number in range(900, 1500)])
    upgrade(old, Path("memory"))
    seen = KnownKeys()
    seen.load(old, 0, 0, tmp_path)

    assert seen.find(old, [key(number) for number in range(2000)]) == {key(number) for number in range(1500)}
    assert old.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'keys%'").fetchall() == []
    old.close()


def test_forgetting_empties_a_table_bit_by_bit_before_it_is_dropped(connection: sqlite3.Connection) -> None:
    clock, seen = Clock(), KnownKeys()
    generations = Generations(10.0, clock, seen.rotate)
    generations.load(connection)
    connection.executemany("INSERT INTO seen_previous VALUES (?, 1, x'00')", [(number,) for number in range(250)])
    clock.now += 10

    left = []
    for _ in range(6):
        generations.step(connection)()
        table = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'seen_forgotten'").fetchone()
        left.append(connection.execute("SELECT count(*) FROM seen_forgotten").fetchone()[0] if table else None)

    assert left == [250, 150, 50, 0, None, None]


def test_a_turn_that_was_rolled_back_is_made_again(connection: sqlite3.Connection) -> None:
    clock, seen = Clock(), KnownKeys(bound=1)
    generations = Generations(10.0, clock, seen.rotate)
    generations.load(connection)
    commit(connection, seen, 0, key("a"))
    commit(connection, seen, 1)
    clock.now += 10

    connection.execute("BEGIN")
    generations.step(connection)
    connection.execute("ROLLBACK")
    assert on_disk(connection) == [key("a")]
    generations.step(connection)()
    assert (on_disk(connection), seen.find(connection, [key("a")])) == ([], {key("a")})
