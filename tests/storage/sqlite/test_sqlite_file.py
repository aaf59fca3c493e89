"""Opening SQLite files: created whole, checked for their version, one transaction at a time."""

import sqlite3
import stat
from pathlib import Path

import pytest

from gateway.datadir import DataDirError
from gateway.storage.sqlite.connection import sqlite_file

TABLES = "CREATE TABLE numbers (number INTEGER PRIMARY KEY);"


def numbers(path: Path) -> list[int]:
    with sqlite_file.connected(path, "ro") as connection:
        return [number for (number,) in connection.execute("SELECT number FROM numbers ORDER BY number")]


def test_a_file_is_created_with_its_tables_and_version_for_its_owner_only(tmp_path: Path) -> None:
    sqlite_file.create(tmp_path / "a.db", TABLES, 3)
    connection, version = sqlite_file.connect_checked(tmp_path / "a.db", "ro", 3)
    with sqlite_file.connected(tmp_path / "a.db", "ro") as other:
        mode = other.execute("PRAGMA journal_mode").fetchone()
    connection.close()

    assert (version, mode, numbers(tmp_path / "a.db")) == (3, ("wal",), [])
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600


def test_a_file_that_exists_is_left_as_it_is_and_nothing_else_stays(tmp_path: Path) -> None:
    sqlite_file.create(tmp_path / "a.db", TABLES + "INSERT INTO numbers VALUES (1);", 1)
    sqlite_file.create(tmp_path / "a.db", TABLES, 2)

    assert [file.name for file in tmp_path.iterdir()] == ["a.db"]
    assert numbers(tmp_path / "a.db") == [1]


def test_a_script_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        sqlite_file.create(tmp_path / "a.db", "CREATE TABLE", 1)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_connecting_creates_nothing(tmp_path: Path, mode: str) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open database file"):
        sqlite_file.connect(tmp_path / "a.db", mode)

    assert list(tmp_path.iterdir()) == []


def test_a_newer_file_is_refused_in_one_line(tmp_path: Path) -> None:
    sqlite_file.create(tmp_path / "a.db", TABLES, 3)
    with pytest.raises(DataDirError) as refused:
        sqlite_file.connect_checked(tmp_path / "a.db", "ro", 2)

    newer = "written by a newer gateway (schema 3, this one knows 2); upgrade this one"
    assert str(refused.value) == f"{tmp_path}/a.db was {newer}"


def test_a_transaction_commits_at_its_end_and_an_exception_rolls_it_back(tmp_path: Path) -> None:
    sqlite_file.create(tmp_path / "a.db", TABLES, 1)
    with sqlite_file.connected(tmp_path / "a.db", "rw") as connection:
        with sqlite_file.transaction(connection):
            connection.execute("INSERT INTO numbers VALUES (1)")
        with pytest.raises(sqlite3.IntegrityError), sqlite_file.transaction(connection):
            connection.execute("INSERT INTO numbers VALUES (2), (1)")

    assert numbers(tmp_path / "a.db") == [1]
