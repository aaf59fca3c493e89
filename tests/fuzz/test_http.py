"""schemathesis over the HTTP surface: nothing answers 5xx, nothing leaves a traceback."""

import re
import subprocess
import sys
from pathlib import Path

from gateway.ingest.registry import discover
from tests.faults.figures import Figure
from tests.faults.lives import log_of, status_of, watched
from tests.fuzz import api
from tests.kit.serving import add_key

EXAMPLES = 8
SECONDS = 60
GENERATED = re.compile(r"(\d+) generated")


def add_keys(data: Path) -> None:
    """Give a data directory the credentials that the description shows."""
    for dialect in discover():
        add_key(data, dialect.name, dialect.kinds[0].name, api.VALUES[dialect.name], project="default")


def schemathesis(url: str, folder: Path, examples: int) -> subprocess.CompletedProcess[str]:
    """Send what schemathesis thinks of to every operation; any answer will do but 5xx."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(api.FILE), "--url", url, "--no-color"]
    command += [
        "--checks",
        "not_a_server_error",
        "--max-examples",
        str(examples),
        "--mode",
        "all",
        "--seed",
        "20240229",
    ]
    command += ["--phases", "examples,coverage,fuzzing", "--workers", "1", "--generation-database", "none"]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * examples, cwd=folder, check=False)


def test_the_description_is_what_the_routes_say() -> None:
    assert api.FILE.read_text("utf-8") == api.text(), "stale: run `python -m tests.fuzz.api`"


def test_nothing_that_is_sent_to_any_path_breaks_it(tmp_path: Path, figure: Figure) -> None:
    add_keys(tmp_path / "data")
    with watched(tmp_path / "data", env={"GATEWAY_BODY_TIMEOUT": "2"}) as served:
        done = schemathesis(served.url, tmp_path, EXAMPLES)
        stored = int(served.cli("events", "count"))
        assert status_of(served.url) == 200
        assert served.stop() == 0
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "internal_error" not in log_of(tmp_path / "data")
    figure(f"{said(done.stdout)}, {stored} events stored, 0 answers of 5xx, 0 tracebacks")
    assert stored > 50


def said(output: str) -> str:
    """Return how many cases were generated, in schemathesis' own words."""
    found = GENERATED.search(output)
    return f"{found[0]} cases" if found else output[-300:]
