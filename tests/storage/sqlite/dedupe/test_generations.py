"""Generations: the older one is emptied little by little, and a rotation that was rolled back is done again."""

import sqlite3

from gateway.storage.sqlite.dedupe.generations import Generations
from gateway.storage.sqlite.dedupe.known_keys import KnownKeys
from gateway.testing.engine.given.entries import key
from tests.storage.sqlite.dedupe.committing import commit, on_disk
from tests.storage.stores import Clock


def test_a_forgotten_table_is_emptied_little_by_little_before_it_is_dropped(connection: sqlite3.Connection) -> None:
    clock, known_keys = Clock(), KnownKeys()
    generations = Generations(10.0, clock, known_keys.rotate)
    generations.load(connection)
    connection.executemany("INSERT INTO seen_previous VALUES (?, 1, x'00')", [(number,) for number in range(250)])
    clock.now += 10

    left = []
    for _ in range(6):
        generations.step(connection)()
        table = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'seen_forgotten'").fetchone()
        left.append(connection.execute("SELECT count(*) FROM seen_forgotten").fetchone()[0] if table else None)

    assert left == [250, 150, 50, 0, None, None]


def test_a_rotation_that_was_rolled_back_is_done_again(connection: sqlite3.Connection) -> None:
    clock, known_keys = Clock(), KnownKeys(max_memtable_keys=1)
    generations = Generations(10.0, clock, known_keys.rotate)
    generations.load(connection)
    commit(connection, known_keys, 0, key("a"))
    commit(connection, known_keys, 1)
    clock.now += 10

    connection.execute("BEGIN")
    generations.step(connection)
    connection.execute("ROLLBACK")
    assert on_disk(connection) == [key("a")]
    generations.step(connection)()
    assert (on_disk(connection), known_keys.find(connection, [key("a")])) == ([], {key("a")})
