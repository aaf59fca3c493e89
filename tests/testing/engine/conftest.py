"""The fixture `wrong_engines`: the engines of wrong_engines.py are installed meanwhile."""

import os
from pathlib import Path

import pytest

from tests.testing.engine.wrong_engines import installed

ROOT = Path(__file__).parents[3]


@pytest.fixture
def wrong_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    # Of the processes that a check starts.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")]))
