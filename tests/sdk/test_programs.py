"""Where a program is missing, the tests that need it are skipped and say which."""

from pathlib import Path

import pytest

from tests.sdk import programs


def test_what_is_missing_is_named_with_the_package_that_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=r"node is not installed \(apt-get install nodejs\)"):
        programs.drive("version.mjs", "esbuild")
