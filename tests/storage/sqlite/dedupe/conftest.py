"""What the tests of dedupe share: an empty database in memory."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.storage.sqlite.tables import upgrade


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(made, Path("memory"))
    yield made
    made.close()
