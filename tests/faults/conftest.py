"""The shims that the tests of this folder preload."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import shims


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("shims")
    return lambda name: shims.compiled(name, folder)
