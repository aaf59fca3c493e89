"""The log as the settings want it."""

from pathlib import Path

import pytest

from gateway.config import Config, StorageSettings
from gateway.datadir import make
from gateway.storage.contract import EventRow
from gateway.storage.sqlite.store import SqliteStore
from gateway.testing.engine.given.entries import body, entry
from gateway.workers.open_log import opened
from tests.storage.stores import query


@pytest.mark.parametrize(("compress", "kind"), [(False, "text"), (True, "blob")])
async def test_the_log_is_compressed_if_that_is_set(tmp_path: Path, compress: bool, kind: str) -> None:
    async with opened(Config(storage=StorageSettings(compress=compress)), SqliteStore(make(tmp_path))) as storage:
        await storage.append(entry(EventRow(body("x" * 100_000))))

    assert query(tmp_path, "SELECT typeof(lines) FROM log") == [(kind,)]
