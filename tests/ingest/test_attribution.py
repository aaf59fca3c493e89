"""Whose a refused request was is kept wherever it was known, whoever was at fault: the client, the disk or a bug."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from dialects.databuddy import dialect as databuddy
from gateway.app import build_handler
from gateway.config import Config
from gateway.datadir import DataDir
from gateway.dialect import Dialect, Item, Received, Translated
from gateway.dialect.outcome import StorageUnavailable
from gateway.http.handler import RequestHead
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.storage.sqlite.read.rejected import counts, rejected_request, rejected_requests
from gateway.storage.sqlite.rejected_file import rejected_log
from gateway.testing.memory import MemoryStorage

SALT = b"salt"
KEY = "toy_0123456789"


def at_fault(_item: Item, _message_id: str, _arrival: Received) -> Translated:
    raise ZeroDivisionError


def broken(dialect: Dialect) -> Dialect:
    """Return a dialect with a bug in its translation."""
    routes = dialect.routes_for(frozenset())
    return attrs.evolve(dialect, routes=tuple(attrs.evolve(each, translate=at_fault) for each in routes))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Dialect:
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "toy")
    from toy_dialect import dialect

    return dialect


def whose(
    folder: Path, dialect: Dialect, storage: MemoryStorage, headers: Mapping[str, str]
) -> list[tuple[object, ...]]:
    """Send one request; return project, reason and status of what was kept as rejected, and the counts."""
    keyring = Keyring(SALT, {digest(SALT, "toy", "api_key", KEY): Grant("1", "shop", "toy", "api_key", frozenset())})
    waiting = rejected_log(DataDir(folder).rejected, 1 << 20, 60.0, pause=3600)

    async def sent() -> None:
        built = build_handler(Config(), (dialect,), storage, keyring, rejected_log=waiting)
        arrived = RequestHead("POST", "/toy-api/v0/ping", "", dict(headers))
        async with waiting.running():
            await built.route(arrived).answer(b'{"what":"hello"}')

    asyncio.run(sent())
    rows = [(row["project"], row["reason"]) for row in rejected_requests(DataDir(folder))]
    return [*rows, *counts(DataDir(folder))]


def test_a_request_that_the_disk_could_not_take_is_its_projects(tmp_path: Path, toy: Dialect) -> None:
    found = whose(tmp_path, toy, MemoryStorage(failure=StorageUnavailable("full")), {"x-toy-key": KEY})
    assert found == [("shop", "storage_unavailable"), ("shop", "toy", 1)]


def test_a_request_that_a_bug_stopped_is_its_projects(
    tmp_path: Path, toy: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    found = whose(tmp_path, broken(toy), MemoryStorage(), {"x-toy-key": KEY})
    assert found == [("shop", "internal_error"), ("shop", "toy", 1)]
    [bug] = [record for record in caplog.records if record.exc_info]
    assert (bug.getMessage(), "ZeroDivisionError" in caplog.text) == (
        "a bug answered 500 to POST /toy-api/v0/ping",
        True,
    )


def test_a_strangers_is_nobodys(tmp_path: Path, toy: Dialect) -> None:
    found = whose(tmp_path, toy, MemoryStorage(), {"x-toy-key": "toy_unknown"})
    assert [found[0][0], found[1]] == [None, ("", "toy", 1)]


SITE = "0e1c3a5e-0000-4000-8000-0000000000aa"
DATABUDDY_KEY = "dbdy_0123456789abcdef"
REVOKED = "dbdy_revoked_0123456789"
REQUEST_ID = {"x-request-id": "r-1"}


def databuddy_keyring() -> Keyring:
    key = Grant("k-1", "shop", "databuddy", "api_key", frozenset(databuddy.scopes))
    revoked = attrs.evolve(key, id="k-0", revoked=True)
    site = Grant("s-1", "shop", "databuddy", "website", frozenset(), ("shop.example",))
    by_value = {DATABUDDY_KEY: key, REVOKED: revoked, SITE: site}
    return Keyring(SALT, {digest(SALT, "databuddy", each.kind, value): each for value, each in by_value.items()})


def rejected(folder: Path, headers: Mapping[str, str], body: bytes, query: str = "") -> list[dict[str, object]]:
    """Send one request to Databuddy's `/track`; return what was kept of it."""
    folder.mkdir(exist_ok=True)
    waiting = rejected_log(DataDir(folder).rejected, 1 << 20, 60.0, pause=3600)

    async def sent() -> None:
        built = build_handler(Config(), (databuddy,), MemoryStorage(), databuddy_keyring(), rejected_log=waiting)
        arrived = RequestHead("POST", "/track", query, dict(headers))
        async with waiting.running():
            await built.route(arrived).answer(body)

    asyncio.run(sent())
    return list(rejected_requests(DataDir(folder)))


def facts(row: Mapping[str, object]) -> tuple[object, ...]:
    return tuple([row[name] for name in ("project", "credential_id", "origin", "request_id", "reason")])


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "gateway.ingest.pipeline"]


def test_a_wrong_origin_is_booked_to_the_site_in_counters_log_and_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    [row] = rejected(tmp_path, {"origin": "https://evil.example", **REQUEST_ID}, b'{"name":"a"}', f"website_id={SITE}")
    assert facts(row) == ("shop", "s-1", "https://evil.example", "r-1", "origin_not_allowed")
    assert counts(DataDir(tmp_path)) == [("shop", "databuddy", 1)]
    assert lines(caplog) == [
        "refused databuddy POST /track: origin_not_allowed; origin https://evil.example; kind website; "
        "project shop; key s-1; request r-1"
    ]


def test_a_revoked_key_is_booked_to_its_project_though_its_dialect_answers_as_if_none_had_been_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    headers = {"x-api-key": REVOKED, "origin": "https://shop.example", **REQUEST_ID}
    [row] = rejected(tmp_path, headers, b'{"name":"a"}')
    assert facts(row) == ("shop", "k-0", "https://shop.example", "r-1", "no_credential")
    assert lines(caplog) == [
        "refused databuddy POST /track: no_credential; project shop; key k-0; origin https://shop.example; request r-1"
    ]


def test_the_name_of_a_project_books_nothing_to_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    headers = {"authorization": "Bearer shop", "x-project": "shop", **REQUEST_ID}
    [row] = rejected(tmp_path, headers, b'{"name":"a","project":"shop"}', "website_id=shop")
    assert facts(row) == (None, None, None, "r-1", "unknown_credential")
    assert counts(DataDir(tmp_path)) == [("", "databuddy", 1)]
    assert lines(caplog) == ["refused databuddy POST /track: unknown_credential; kind website; request r-1"]


def test_what_a_public_id_opens_is_redacted_like_a_strangers_and_what_a_key_opens_is_not(tmp_path: Path) -> None:
    body = b'{"name":5,"token":"hush"}'
    browsers = {"origin": "https://shop.example", "x-secret-thing": "quiet-please"}
    rejected(tmp_path / "site", browsers, body, f"website_id={SITE}")
    rejected(tmp_path / "origin", {"origin": "https://evil.example"}, body, f"website_id={SITE}")
    rejected(tmp_path / "key", {"authorization": f"Bearer {DATABUDDY_KEY}"}, body)
    kept = {}
    for folder in ("site", "origin", "key"):
        found = rejected_request(DataDir(tmp_path / folder), 1)
        assert found is not None
        kept[folder] = (found[0]["project"], found[0]["reason"], found[1].body)
    assert kept == {
        "site": ("shop", "invalid", b'{"name":5,"token":"[redacted]"}'),
        "origin": ("shop", "origin_not_allowed", b'{"name":5,"token":"[redacted]"}'),
        "key": ("shop", "invalid", body),
    }


@pytest.mark.parametrize(
    ("sent", "kept"), [("a" * 64, True), ("a" * 65, False), ("", False), ("a\tb", False), ("ä", False), (" a b", True)]
)
def test_a_request_id_is_kept_if_it_is_fit_for_a_log(tmp_path: Path, sent: str, kept: bool) -> None:
    [row] = rejected(tmp_path, {"x-request-id": sent}, b"{}")
    shown = str(row["request_id"])
    assert (shown == sent, len(shown)) == (kept, len(sent) if kept else 16)


def test_an_origin_of_any_bytes_is_kept_in_part_and_stays_on_its_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    [row] = rejected(tmp_path, {"origin": "\udcff\nrefused x" + "a" * 1000, **REQUEST_ID}, b"{}")
    assert row["origin"] == "\\udcff\nrefused x" + "a" * 289
    [line] = lines(caplog)
    assert (line.isprintable(), len(line) < 1200) == (True, True)
