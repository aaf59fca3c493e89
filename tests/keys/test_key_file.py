"""The key file: what only SQLite's credentials promise, and files that cannot be used. The kit has the rest."""

import contextlib
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from gateway.keys.changes import KeyUpdate
from gateway.keys.credential import KeyFileError
from gateway.storage.sqlite.keys.key_file import KeyFile
from tests.kit.fake_dialect import API_KEY, dialect

NOW = 1767323045678
VALUE = "acme_0123456789abcdef"


def test_no_secret_value_and_no_admin_token_is_in_the_file(keys: KeyFile, path: Path) -> None:
    token = keys.new_admin_token()
    keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    keys.close()
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert (VALUE.encode() in content, token.encode() in content, b"cdef" in content) == (False, False, True)


def test_only_the_owner_can_read_the_file_and_nothing_else_is_left(keys: KeyFile, path: Path) -> None:
    keys.close()
    assert [(file.name, stat.S_IMODE(file.stat().st_mode)) for file in path.parent.iterdir()] == [("keys.db", 0o600)]


def test_reading_does_not_create_a_missing_file(path: Path) -> None:
    with pytest.raises(KeyFileError, match=f"^{path.parent} holds no credentials yet"):
        KeyFile.open(path)
    assert list(path.parent.iterdir()) == []


def test_a_newer_file_is_refused(keys: KeyFile, path: Path) -> None:
    keys.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 4")
    with pytest.raises(KeyFileError) as caught:
        KeyFile.open(path)
    message = f"{path} was written by a newer gateway (schema 4, this one knows 3); upgrade this one"
    assert str(caught.value) == message


def test_a_file_of_the_first_version_is_read_as_it_is_and_upgraded_by_its_first_change(path: Path) -> None:
    with KeyFile.open(path, make=True) as keys:
        old = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE).record
        new = keys.rotate(old.id, API_KEY, now=NOW, grace=60).record
        expected = keys.list()
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("ALTER TABLE credentials DROP COLUMN label")
        file.execute("ALTER TABLE credentials DROP COLUMN rotated")
        file.execute("DROP TABLE backups")
        file.execute("PRAGMA user_version = 1")
    with KeyFile.open(path) as keys:
        assert (keys.list(), version(path)) == (expected, 1)
        assert keys.update(new.id, KeyUpdate(label="Till"), now=NOW) == attrs.evolve(new, label="Till")
        assert (keys.list(), version(path)) == ((expected[0], attrs.evolve(new, label="Till")), 3)


def version(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as file:
        return int(file.execute("PRAGMA user_version").fetchone()[0])


def test_an_error_of_the_system_is_told_without_its_number(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "keys.db"
    with pytest.raises(KeyFileError) as caught:
        KeyFile.open(path, make=True)
    assert str(caught.value) == f"cannot open {path}: No such file or directory"


def test_a_file_that_is_not_a_key_file_is_refused(path: Path) -> None:
    path.write_bytes(b"no database at all, and long enough to have a head of a hundred bytes" * 9)
    with pytest.raises(KeyFileError, match=f"^cannot open {path}: file is not a database$"):
        KeyFile.open(path)
    path.write_bytes(b"")
    with pytest.raises(KeyFileError, match=f"^{path} is not a gateway key file$"):
        KeyFile.open(path)


def test_many_first_commands_at_once_lose_nothing(path: Path) -> None:
    def add(number: int) -> str:
        with KeyFile.open(path, make=True) as keys:
            return keys.add("shop", dialect, API_KEY, now=NOW, value=f"value-{number}").record.id

    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(add, range(64)))
    with KeyFile.open(path) as keys:
        assert {record.id for record in keys.list()} == ids
        assert len(ids) == 64
