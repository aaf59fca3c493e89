"""A compressed log: what is in the file, who can read it, and what becomes of a damaged chunk."""

import sqlite3
import subprocess
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gateway.datadir import DataDirError
from gateway.storage.contract import EventRow
from gateway.storage.sqlite.log.chunks import CHUNK_BYTES, SMALL_BYTES
from gateway.storage.sqlite.log.compression import register, restored, stored
from gateway.storage.sqlite.read.raw_requests import rewrite
from gateway.testing.engine.given.entries import body, entry, key
from tests.storage.stores import opened, query, without_version_8
from tests.storage.stores import stored as stored_lines

QUESTION = "SELECT position, hex(key), body FROM events ORDER BY position"
LARGE = 400
PLAIN_VIEW = "SELECT sql LIKE '%sqlar%' FROM sqlite_schema WHERE name = 'events'"


def rows(start: int, end: int) -> list[EventRow]:
    """Rows of about a hundred bytes, some of them not ASCII."""
    return [EventRow(body(f"event {number} \N{EM DASH} " + "x" * 80), key(number)) for number in range(start, end)]


async def fill(path: Path, start: int, end: int, *, compress: bool) -> None:
    """Append rows in one commit."""
    async with opened(path, compress=compress) as (storage, _):
        await storage.append(entry(*rows(start, end)))


def answers(count: int) -> list[tuple[object, ...]]:
    """What QUESTION answers about rows from 0 on."""
    return [(at, row.key.hex().upper(), row.body.decode()) for at, row in enumerate(rows(0, count), 1) if row.key]


def asked(path: Path) -> Sequence[tuple[object, ...]]:
    """What QUESTION is answered on a connection of the gateway's."""
    with closing(sqlite3.connect(path / "events.db")) as file:
        register(file)
        return file.execute(QUESTION).fetchall()


def command_line(path: Path) -> str:
    """What QUESTION is answered by the program `sqlite3`."""
    command = ["sqlite3", "-readonly", "-tabs", str(path / "events.db"), QUESTION]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


@pytest.mark.parametrize("text", [b"short", b"x" * SMALL_BYTES, "\N{EM DASH}".encode() * SMALL_BYTES])
def test_lines_come_back_as_they_were(text: bytes) -> None:
    for compress in (False, True):
        lines, size = stored(text, compress=compress)
        assert restored(lines.encode() if isinstance(lines, str) else lines, size) == text


async def test_a_compressed_log_takes_a_fraction_and_reads_the_same(tmp_path: Path) -> None:
    await fill(tmp_path, 0, LARGE, compress=True)

    assert query(tmp_path, "SELECT typeof(lines), size > 5 * length(lines) FROM log") == [("blob", 1)]
    assert stored_lines(tmp_path) == [row.body for row in rows(0, LARGE)]
    assert asked(tmp_path) == answers(LARGE)


async def test_the_command_line_of_sqlite_reads_a_compressed_log(tmp_path: Path) -> None:
    await fill(tmp_path, 0, LARGE, compress=True)

    assert command_line(tmp_path).splitlines() == ["\t".join(map(str, answer)) for answer in answers(LARGE)]


async def test_other_programs_read_it_with_one_function_of_a_line(tmp_path: Path) -> None:
    await fill(tmp_path, 0, LARGE, compress=True)

    with closing(sqlite3.connect(tmp_path / "events.db")) as file:
        with pytest.raises(sqlite3.OperationalError, match="^no such function: sqlar_uncompress$"):
            file.execute(QUESTION)
        file.create_function("sqlar_uncompress", 2, lambda lines, _size: zlib.decompress(lines))
        assert file.execute(QUESTION).fetchall() == answers(LARGE)


async def test_without_the_setting_every_program_reads_the_log_as_it_is(tmp_path: Path) -> None:
    await fill(tmp_path, 0, LARGE, compress=False)

    assert query(tmp_path, PLAIN_VIEW) == [(0,)]
    assert query(tmp_path, QUESTION) == answers(LARGE)


async def test_the_setting_can_be_turned_on_and_off_and_on(tmp_path: Path) -> None:
    for turn, compress in enumerate((False, True, False, True)):
        await fill(tmp_path, turn * LARGE, (turn + 1) * LARGE, compress=compress)

    assert query(tmp_path, "SELECT typeof(lines) FROM log") == [("text",), ("blob",), ("text",), ("blob",)]
    assert stored_lines(tmp_path) == [row.body for row in rows(0, 4 * LARGE)]
    assert asked(tmp_path) == answers(4 * LARGE)
    async with opened(tmp_path) as (storage, _):
        again = await storage.append(entry(*rows(0, 4 * LARGE)))
    assert again.duplicates == tuple(range(4 * LARGE))


async def test_small_chunks_are_compressed_when_they_are_merged(tmp_path: Path) -> None:
    lines = [row.body for row in rows(0, CHUNK_BYTES // 100)]
    async with opened(tmp_path, compress=True) as (storage, _):
        for number in range(len(lines)):
            await storage.append(entry(*rows(number, number + 1)))
            if number == 10:
                assert query(tmp_path, "SELECT DISTINCT typeof(lines) FROM log") == [("text",)]

    assert query(tmp_path, "SELECT DISTINCT typeof(lines) FROM log ORDER BY 1") == [("blob",), ("text",)]
    assert stored_lines(tmp_path) == lines


async def test_an_event_is_rewritten_inside_a_compressed_chunk(tmp_path: Path) -> None:
    await fill(tmp_path, 0, LARGE, compress=True)
    lines = stored_lines(tmp_path)

    assert rewrite(tmp_path / "events.db", [(5, lines[4], body("new")), (6, b"other", body("new"))]) == 1
    assert stored_lines(tmp_path) == [*lines[:4], body("new"), *lines[5:]]
    assert query(tmp_path, "SELECT typeof(lines) FROM log") == [("blob",)]


@pytest.mark.parametrize(
    "change",
    [
        "size = 100",
        "size = size - 1",
        "size = size + 1",
        "size = -1",
        "size = 9223372036854775807",
        "size = 1.5",
        "size = 'large'",
        "lines = substr(lines, 1, length(lines) - 1)",
        "lines = CAST('no zlib' AS BLOB)",
        "lines = CAST('' AS BLOB)",
    ],
)
async def test_a_damaged_chunk_is_an_error_that_takes_no_more_memory_than_it_says(tmp_path: Path, change: str) -> None:
    await fill(tmp_path, 0, LARGE, compress=True)
    with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as file:
        file.execute(f"UPDATE log SET {change}")
        register(file)
        with pytest.raises(sqlite3.OperationalError, match="^user-defined function raised exception$"):
            file.execute(QUESTION)

    with pytest.raises(DataDirError, match="^a chunk of the log is damaged: "):
        stored_lines(tmp_path)


async def test_a_log_from_before_compression_is_read_and_upgraded(tmp_path: Path) -> None:
    await fill(tmp_path, 0, LARGE, compress=False)
    with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as file:
        without_version_8(file)
        file.execute("ALTER TABLE log DROP COLUMN size")
        file.execute("PRAGMA user_version = 6")

    assert stored_lines(tmp_path) == [row.body for row in rows(0, LARGE)]
    await fill(tmp_path, LARGE, 2 * LARGE, compress=True)
    assert asked(tmp_path) == answers(2 * LARGE)
