"""What the tests of keys share: an empty key file, open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.keys.store import KeyFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


@pytest.fixture
def keys(path: Path) -> Iterator[KeyFile]:
    with KeyFile.open(path, make=True) as opened:
        yield opened
