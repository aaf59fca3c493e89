"""`examples/goatcounter-dialect`: a stranger's distribution keeps the kit's promises, and runs as its README says."""

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from gateway.testing import dialect_checks, subject
from gateway.testing.check import Cost
from gateway.testing.run import run
from tests.docs.expectations import EXAMPLES
from tests.docs.readme import blocks, curl_lines, paste
from tests.kit.generated import Generated, installed
from tests.kit.serving import PATIENCE, serving

FOLDER = EXAMPLES / "goatcounter-dialect"
README = (FOLDER / "README.md").read_text("utf-8")
ADD_KEY = ["gateway", "keys", "add", "--data", "data"]
IN_THIS_PROCESS = (Cost.PURE, Cost.GENERATED, Cost.SERVER)


@pytest.fixture
def goatcounter(tmp_path: Path) -> Generated:
    """A copy of the folder, as if it was installed."""
    left_by_runs = shutil.ignore_patterns("*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "data")
    shutil.copytree(FOLDER, tmp_path / "copy", ignore=left_by_runs)
    return installed("goatcounter", tmp_path / "copy")


@pytest.fixture
def importable(goatcounter: Generated, monkeypatch: pytest.MonkeyPatch) -> Iterator[Generated]:
    """The same, found by its entry point in this process."""
    monkeypatch.syspath_prepend(goatcounter.folder)
    importlib.invalidate_caches()
    yield goatcounter
    for name in [name for name in sys.modules if name.partition(".")[0] == "goatcounter_dialect"]:
        del sys.modules[name]


def test_it_keeps_every_promise_of_the_kit(importable: Generated) -> None:
    suite = dialect_checks(subject("goatcounter", importable.corpus))
    families = {check.name.partition("/")[0] for check in suite if check.cost in IN_THIS_PROCESS}
    assert {"cases", "bodies", "kept", "credentials", "ids", "facts"} <= families
    problems: list[str | None] = []
    run([check for check in suite if check.cost in IN_THIS_PROCESS], lambda result: problems.append(result.problem))
    assert [problem for problem in problems if problem is not None] == []


def test_its_code_is_as_its_own_settings_of_ruff_would_have_it(goatcounter: Generated) -> None:
    for command in (("check",), ("format", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=goatcounter.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_what_its_readme_says_to_type_counts_a_pageview_and_a_beacon(goatcounter: Generated, tmp_path: Path) -> None:
    _, _, keys = blocks("sh", README)
    with serving(tmp_path / "data", env=goatcounter.env) as served:
        [curl] = [line for line in curl_lines(served.greeting) if "/api/v0/count" in line]
        assert '{"status":"ok"}' in paste(curl).stdout
        for line in keys.splitlines():
            words = line.split()
            assert (words[:5], words[5::2][:3]) == (ADD_KEY, ["--dialect", "--kind", "--value"])
            served.add_key(words[6], words[8], *words[9:])
        beacon = f"{served.url}/count?p=/pricing&t=Pricing"
        answer = requests.post(beacon, headers={"Origin": "https://www.example.com"}, timeout=PATIENCE)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
        stored = served.events()
    facts = [(event["type"], event["name"], event["context"]["page"], event["context"].get("app")) for event in stored]
    assert facts == [
        ("page", "One", {"path": "/one", "title": "One"}, None),
        ("page", "Pricing", {"path": "/pricing", "title": "Pricing"}, {"id": "mycode"}),
    ]
