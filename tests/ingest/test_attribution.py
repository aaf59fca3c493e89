"""Whose a refused request was is kept wherever it was known, whoever was at fault: the client, the disk or a bug."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from gateway.app import build_handler
from gateway.config import Config
from gateway.datadir import DataDir
from gateway.dialect import Dialect, Item, Received, Translated
from gateway.dialect.outcome import StorageUnavailable
from gateway.http.handler import RequestHead
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.storage.sqlite.read.rejected import counts, rejected_requests
from gateway.storage.sqlite.rejected_log import RejectedRequestLog
from tests.kit.recording import RecordingStorage

SALT = b"salt"
KEY = "toy_0123456789"


def at_fault(_item: Item, _message_id: str, _arrival: Received) -> Translated:
    raise ZeroDivisionError


def broken(dialect: Dialect) -> Dialect:
    """Return a dialect with a bug in its translation."""
    routes = dialect.routes
    return attrs.evolve(
        dialect, routes=lambda switches: tuple(attrs.evolve(each, translate=at_fault) for each in routes(switches))
    )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Dialect:
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "toy")
    from toy_dialect import dialect

    return dialect


def whose(
    folder: Path, dialect: Dialect, storage: RecordingStorage, headers: Mapping[str, str]
) -> list[tuple[object, ...]]:
    """Send one request; return project, reason and status of what was kept as rejected, and the counts."""
    keyring = Keyring(SALT, {digest(SALT, "toy", "api_key", KEY): Grant("1", "shop", "toy", "api_key", frozenset())})
    rejected_log = RejectedRequestLog(DataDir(folder).rejected, 1 << 20, 60.0, pause=3600)

    async def sent() -> None:
        built = build_handler(Config(), (dialect,), storage, keyring, rejected_log=rejected_log)
        arrived = RequestHead("POST", "/toy-api/v0/ping", "", dict(headers))
        async with rejected_log.running():
            await built.route(arrived).answer(b'{"what":"hello"}')

    asyncio.run(sent())
    rows = [(row["project"], row["reason"]) for row in rejected_requests(DataDir(folder))]
    return [*rows, *counts(DataDir(folder))]


def test_a_request_that_the_disk_could_not_take_is_its_projects(tmp_path: Path, toy: Dialect) -> None:
    found = whose(tmp_path, toy, RecordingStorage(failure=StorageUnavailable("full")), {"x-toy-key": KEY})
    assert found == [("shop", "storage_unavailable"), ("shop", "toy", 1)]


def test_a_request_that_a_bug_stopped_is_its_projects(
    tmp_path: Path, toy: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    found = whose(tmp_path, broken(toy), RecordingStorage(), {"x-toy-key": KEY})
    assert found == [("shop", "internal_error"), ("shop", "toy", 1)]
    [bug] = [record for record in caplog.records if record.exc_info]
    assert (bug.getMessage(), "ZeroDivisionError" in caplog.text) == (
        "a bug answered 500 to POST /toy-api/v0/ping",
        True,
    )


def test_a_strangers_is_nobodys(tmp_path: Path, toy: Dialect) -> None:
    found = whose(tmp_path, toy, RecordingStorage(), {"x-toy-key": "toy_unknown"})
    assert [found[0][0], found[1]] == [None, ("", "toy", 1)]
