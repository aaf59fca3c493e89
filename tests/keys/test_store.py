"""The key file: adding, listing, revoking and rotating credentials, the admin token, and files that cannot be used."""

import contextlib
import re
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from gateway.keys.credential import CredentialRecord, KeyFileError, NewCredential
from gateway.keys.keyring import Grant
from gateway.keys.store import KeyFile
from tests.kit.fake_dialect import API_KEY, SITE, dialect

NOW = 1767323045678
VALUE = "acme_0123456789abcdef"


def test_a_given_value_is_added_with_every_scope_and_any_origin(keys: KeyFile) -> None:
    added = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    record = CredentialRecord(added.record.id, "shop", "acme", "api_key", "...cdef", ("read", "write"), (), NOW)
    assert added == NewCredential(record, VALUE)
    assert re.fullmatch(r"key_[0-9a-f]{12}", record.id)
    assert keys.list() == (record,)


def test_no_secret_value_and_no_admin_token_is_in_the_file(keys: KeyFile, path: Path) -> None:
    token = keys.new_admin_token()
    keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    keys.close()
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert (VALUE.encode() in content, token.encode() in content, b"cdef" in content) == (False, False, True)


def test_only_the_owner_can_read_the_file_and_nothing_else_is_left(keys: KeyFile, path: Path) -> None:
    keys.close()
    assert [(file.name, stat.S_IMODE(file.stat().st_mode)) for file in path.parent.iterdir()] == [("keys.db", 0o600)]


def test_a_value_is_found_in_its_canonical_spelling(keys: KeyFile) -> None:
    added = keys.add("shop", dialect, SITE, now=NOW, value="ABC")
    grant = Grant(added.record.id, "shop", "acme", "site", frozenset({"read", "write"}))
    ring = keys.load()
    assert (ring.find("acme", "site", "abc"), ring.find("acme", "site", "ABC")) == (grant, None)


def test_a_value_that_is_added_again_keeps_its_id(keys: KeyFile) -> None:
    first = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE, origins=["a.example"])
    again = keys.add("shop", dialect, API_KEY, now=NOW + 1, value="Bearer " + VALUE)
    assert (again.record, keys.list()) == (first.record, (first.record,))


def test_a_value_that_is_added_again_takes_the_new_scopes_and_origins(keys: KeyFile) -> None:
    first = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
    second = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["write"], origins=["b.example"])
    assert second.record == attrs.evolve(first.record, scopes=("write",), origins=("b.example",))
    assert keys.list() == (second.record,)


def test_a_value_of_another_project_is_refused(keys: KeyFile) -> None:
    added = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    with pytest.raises(KeyFileError, match=f"^this api_key already belongs to project shop, as {added.record.id}$"):
        keys.add("blog", dialect, API_KEY, now=NOW, value=VALUE)
    assert keys.list() == (added.record,)


def test_a_revoked_value_is_still_known_as_revoked(keys: KeyFile) -> None:
    added = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    revoked = attrs.evolve(added.record, revoked_at=NOW + 5)
    assert keys.revoke(added.record.id, now=NOW + 5) == revoked
    assert keys.revoke(added.record.id, now=NOW + 9) == revoked
    with pytest.raises(
        KeyFileError,
        match=rf"^this api_key was revoked \({added.record.id}\) and cannot be added again; use another value$",
    ):
        keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    grant = keys.load().find("acme", "api_key", VALUE)
    assert grant == Grant(added.record.id, "shop", "acme", "api_key", frozenset({"read", "write"}), revoked=True)


def test_rotating_adds_a_successor_and_ends_the_old_value_after_its_grace(keys: KeyFile) -> None:
    old = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
    new = keys.rotate(old.record.id, API_KEY, now=NOW + 10, grace=60)
    ended = attrs.evolve(old.record, expires_at=NOW + 60_010)
    successor = attrs.evolve(old.record, id=new.record.id, masked="..." + new.value[-4:], created_at=NOW + 10)
    assert keys.list() == (ended, successor)
    assert [ended.status(now) for now in (NOW, NOW + 60_009, NOW + 60_010)] == ["expiring", "expiring", "expired"]
    ring = keys.load()
    before, after = ring.find("acme", "api_key", VALUE), ring.find("acme", "api_key", new.value)
    assert before is not None
    assert after is not None
    assert [before.is_good(NOW + 60_009), before.is_good(NOW + 60_010), after.is_good(NOW + 60_010)] == [
        True,
        False,
        True,
    ]


def test_only_an_active_credential_can_be_rotated(keys: KeyFile) -> None:
    added = keys.add("shop", dialect, API_KEY, now=NOW)
    keys.rotate(added.record.id, API_KEY, now=NOW, grace=60)
    with pytest.raises(KeyFileError, match=r"is expiring; only an active credential can be rotated$"):
        keys.rotate(added.record.id, API_KEY, now=NOW)
    keys.revoke(added.record.id, now=NOW)
    with pytest.raises(KeyFileError, match=r"is revoked; only an active credential can be rotated$"):
        keys.rotate(added.record.id, API_KEY, now=NOW)
    assert len(keys.list()) == 2


def test_an_unknown_id_is_an_error(keys: KeyFile) -> None:
    message = r"^there is no credential 'key_x'; `gateway keys list` shows them$"
    with pytest.raises(KeyFileError, match=message):
        keys.get("key_x")
    with pytest.raises(KeyFileError, match=message):
        keys.revoke("key_x", now=NOW)


def test_only_the_newest_admin_token_works(keys: KeyFile) -> None:
    assert keys.admin().verify("") is False
    first = keys.new_admin_token()
    assert [keys.admin().verify(token) for token in (first, first + "x", "")] == [True, False, False]
    second = keys.new_admin_token()
    assert [keys.admin().verify(token) for token in (first, second)] == [False, True]
    assert (first in repr(keys.admin()), repr(keys.admin())) == (False, "Admin()")


def test_reading_does_not_create_a_missing_file(path: Path) -> None:
    with pytest.raises(KeyFileError, match=f"^{path.parent} holds no credentials yet"):
        KeyFile.open(path)
    assert list(path.parent.iterdir()) == []


def test_a_newer_file_is_refused(keys: KeyFile, path: Path) -> None:
    keys.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(KeyFileError) as caught:
        KeyFile.open(path)
    message = f"{path} was written by a newer gateway (schema 2, this one knows 1); upgrade this one"
    assert str(caught.value) == message


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
