import asyncio
import contextlib
import re
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from gateway.dialect import CredentialKind
from gateway.keys.credential import CredentialRecord, KeyFileError, NewCredential
from gateway.keys.keyring import Grant, Keyring
from gateway.keys.store import KeyFile
from gateway.keys.tables import Admin
from gateway.keys.watch import watch
from tests.kit.fake_dialect import API_KEY, APP, SITE, dialect

NOW = 1767323045678
VALUE = "acme_0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


@pytest.fixture
def keys(path: Path) -> Iterator[KeyFile]:
    with KeyFile.open(path, make=True) as opened:
        yield opened


def test_a_given_value_is_kept_with_every_scope_and_any_origin(keys: KeyFile) -> None:
    made = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    record = CredentialRecord(made.record.id, "shop", "acme", "api_key", "...cdef", ("read", "write"), (), NOW)
    assert made == NewCredential(record, VALUE)
    assert re.fullmatch(r"key_[0-9a-f]{12}", record.id)
    assert keys.list() == (record,)


def test_made_values_have_their_kinds_form(keys: KeyFile) -> None:
    token = keys.add("shop", dialect, API_KEY, now=NOW).value
    site = keys.add("shop", dialect, SITE, now=NOW).value
    assert re.fullmatch(r"acme_[0-9a-f]{48}", token)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", site)


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [
        (API_KEY, "a" * 12 + "last", "...last"),
        (API_KEY, "a" * 11 + "last", None),
        (SITE, "AB", "ab"),
    ],
)
def test_a_hint_gives_away_no_more_than_it_may(
    keys: KeyFile, kind: CredentialKind, value: str, masked: str | None
) -> None:
    assert keys.add("shop", dialect, kind, now=NOW, value=value).record.masked == masked


def test_no_secret_value_and_no_admin_token_is_in_the_file(keys: KeyFile, path: Path) -> None:
    token = keys.new_admin_token()
    keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    keys.close()
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert (VALUE.encode() in kept, token.encode() in kept, b"cdef" in kept) == (False, False, True)


def test_the_file_is_for_its_owner_alone_and_nothing_else_is_left(keys: KeyFile, path: Path) -> None:
    keys.close()
    assert [(file.name, stat.S_IMODE(file.stat().st_mode)) for file in path.parent.iterdir()] == [("keys.db", 0o600)]


def test_a_value_is_found_in_its_canonical_spelling(keys: KeyFile) -> None:
    made = keys.add("shop", dialect, SITE, now=NOW, value="ABC")
    grant = Grant(made.record.id, "shop", "acme", "site", frozenset({"read", "write"}))
    ring = keys.load()
    assert (ring.find("acme", "site", "abc"), ring.find("acme", "site", "ABC")) == (grant, None)


def test_the_same_value_again_keeps_its_id(keys: KeyFile) -> None:
    first = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE, origins=["a.example"])
    again = keys.add("shop", dialect, API_KEY, now=NOW + 1, value="Bearer " + VALUE)
    assert (again.record, keys.list()) == (first.record, (first.record,))


def test_the_same_value_with_scopes_and_origins_takes_the_new_ones(keys: KeyFile) -> None:
    first = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
    second = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["write"], origins=["b.example"])
    assert second.record == attrs.evolve(first.record, scopes=("write",), origins=("b.example",))
    assert keys.list() == (second.record,)


def test_a_value_of_another_project_is_refused(keys: KeyFile) -> None:
    made = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    with pytest.raises(KeyFileError, match=f"^this api_key opens project shop already, as {made.record.id}$"):
        keys.add("blog", dialect, API_KEY, now=NOW, value=VALUE)
    assert keys.list() == (made.record,)


def test_a_revoked_value_stays_known_as_revoked(keys: KeyFile) -> None:
    made = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    revoked = attrs.evolve(made.record, revoked_at=NOW + 5)
    assert keys.revoke(made.record.id, now=NOW + 5) == revoked
    assert keys.revoke(made.record.id, now=NOW + 9) == revoked
    with pytest.raises(KeyFileError, match=rf"^this api_key was revoked \({made.record.id}\) and stays so"):
        keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    grant = keys.load().find("acme", "api_key", VALUE)
    assert grant == Grant(made.record.id, "shop", "acme", "api_key", frozenset({"read", "write"}), revoked=True)


def test_rotating_makes_a_successor_and_ends_the_old_one_after_its_grace(keys: KeyFile) -> None:
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


def test_only_an_active_credential_is_rotated(keys: KeyFile) -> None:
    made = keys.add("shop", dialect, API_KEY, now=NOW)
    keys.rotate(made.record.id, API_KEY, now=NOW, grace=60)
    with pytest.raises(KeyFileError, match=r"is expiring; only an active credential can be rotated$"):
        keys.rotate(made.record.id, API_KEY, now=NOW)
    keys.revoke(made.record.id, now=NOW)
    with pytest.raises(KeyFileError, match=r"is revoked; only an active credential can be rotated$"):
        keys.rotate(made.record.id, API_KEY, now=NOW)
    assert len(keys.list()) == 2


def test_an_unknown_id_is_told(keys: KeyFile) -> None:
    told = r"^there is no credential 'key_x'; `gateway keys list` shows them$"
    with pytest.raises(KeyFileError, match=told):
        keys.get("key_x")
    with pytest.raises(KeyFileError, match=told):
        keys.revoke("key_x", now=NOW)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", "the value of the api_key is empty"),
        ("  ", "the value of the api_key is empty"),
        ("Bearer ", "the value of the api_key begins or ends with a blank"),
        ("a" * 513, "the value of the api_key has 513 characters; 512 are the most"),
        ("a\nb", "the value of the api_key has control characters or is not UTF-8"),
        ("a\0b", "the value of the api_key has control characters or is not UTF-8"),
        ("a\udcffb", "the value of the api_key has control characters or is not UTF-8"),
        (" a", "the value of the api_key begins or ends with a blank"),
    ],
)
def test_a_value_that_no_client_can_send_is_refused(keys: KeyFile, value: str, told: str) -> None:
    with pytest.raises(KeyFileError) as caught:
        keys.add("shop", dialect, API_KEY, now=NOW, value=value)
    assert (str(caught.value), keys.list()) == (told, ())


def test_a_value_of_512_characters_is_taken(keys: KeyFile) -> None:
    keys.add("shop", dialect, API_KEY, now=NOW, value="a" * 512)
    assert keys.load().find("acme", "api_key", "a" * 512) is not None


def test_unknown_scopes_projects_and_origins_are_refused(keys: KeyFile) -> None:
    with pytest.raises(KeyFileError, match=r"^acme has no scope 'admin'; there is: read, write$"):
        keys.add("shop", dialect, API_KEY, now=NOW, scopes=["admin"])
    with pytest.raises(KeyFileError, match=r"^'a shop' is no name for a project"):
        keys.add("a shop", dialect, API_KEY, now=NOW)
    with pytest.raises(KeyFileError, match=r"^an origin is a host: 'null' is"):
        keys.add("shop", dialect, APP, now=NOW, origins=["null"])
    assert keys.list() == ()


def test_origins_are_kept_as_hosts(keys: KeyFile) -> None:
    sent = ["https://Shop.Example:8443/path", "*.a.example", "*", "localhost:3000", "bücher.example", "[::1]:80"]
    made = keys.add("shop", dialect, APP, now=NOW, origins=[*sent, "shop.example"])
    assert made.record.origins == ("shop.example", "*.a.example", "*", "localhost", "xn--bcher-kva.example", "[::1]")


def test_the_admin_token_is_the_last_one_made(keys: KeyFile) -> None:
    assert keys.admin().verify("") is False
    first = keys.new_admin_token()
    assert [keys.admin().verify(token) for token in (first, first + "x", "")] == [True, False, False]
    second = keys.new_admin_token()
    assert [keys.admin().verify(token) for token in (first, second)] == [False, True]
    assert (first in repr(keys.admin()), repr(keys.admin())) == (False, "Admin()")


def test_a_file_that_is_not_there_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(KeyFileError, match=f"^{path.parent} holds no credentials yet"):
        KeyFile.open(path)
    assert list(path.parent.iterdir()) == []


def test_a_newer_file_is_refused_and_told(keys: KeyFile, path: Path) -> None:
    keys.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(KeyFileError) as caught:
        KeyFile.open(path)
    told = f"{path} was written by a newer gateway (schema 2, this one knows 1); upgrade this one"
    assert str(caught.value) == told


def test_a_file_that_is_no_key_file_is_told(path: Path) -> None:
    path.write_bytes(b"no database at all, and long enough to have a head of a hundred bytes" * 9)
    with pytest.raises(KeyFileError, match=f"^cannot open {path}: file is not a database$"):
        KeyFile.open(path)
    path.write_bytes(b"")
    with pytest.raises(KeyFileError, match=f"^{path} is not a gateway's key file$"):
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


async def test_a_watcher_hands_over_what_is_there_and_what_changes(keys: KeyFile, path: Path) -> None:
    handed: asyncio.Queue[tuple[Keyring, Admin]] = asyncio.Queue()
    made = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    task = asyncio.create_task(watch(path, lambda *both: handed.put_nowait(both), every=0.01))
    try:
        assert await handed.get() == (keys.load(), keys.admin())
        keys.revoke(made.record.id, now=NOW)
        assert await handed.get() == (keys.load(), keys.admin())
        token = keys.new_admin_token()
        ring, admin = await handed.get()
        assert (ring, admin.verify(token)) == (keys.load(), True)
        assert handed.empty()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_watcher_outlives_a_file_that_cannot_be_read(path: Path) -> None:
    handed: asyncio.Queue[Keyring] = asyncio.Queue()
    task = asyncio.create_task(watch(path, lambda ring, _admin: handed.put_nowait(ring), every=0.01))
    try:
        await asyncio.sleep(0.05)
        with KeyFile.open(path, make=True) as keys:
            assert await handed.get() == keys.load()
    finally:
        task.cancel()
        await asyncio.wait([task])
