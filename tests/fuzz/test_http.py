"""schemathesis over the HTTP surface, by the dialects' documents: nothing answers 5xx, nothing leaves a traceback, and
every answer has a status, a type and a shape that its document says.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from gateway.ingest.registry import discover
from tests.faults.figures import Figure
from tests.faults.lives import log_of, status_of, watched
from tests.fuzz import api
from tests.kit.endpoints import key_of
from tests.kit.serving import add_key, run

EXAMPLES = 8
SECONDS = 480
GENERATED = re.compile(r"(\d+) generated")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def schemathesis(url: str, folder: Path, examples: int) -> subprocess.CompletedProcess[str]:
    """Send what schemathesis thinks of to every operation, the same in every run."""
    documents = {dialect.name: json.loads(run("openapi", dialect.name).stdout) for dialect in discover()}
    file = folder / "openapi.json"
    file.write_text(json.dumps(api.merged(documents)), "utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(file), "--url", url, "--no-color"]
    command += ["--checks", CHECKS, "--max-examples", str(examples), "--mode", "all", "--generation-deterministic"]
    command += ["--phases", "examples,coverage,fuzzing", "--workers", "1"]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=folder, check=False)


def test_whatever_is_sent_to_any_path_is_answered_as_the_documents_say(tmp_path: Path, figure: Figure) -> None:
    data = tmp_path / "data"
    for dialect in discover():
        for kind, _ in api.shown(dialect):
            add_key(data, dialect.name, kind.name, key_of(kind), project="default")
    with watched(data, env={"GATEWAY_BODY_TIMEOUT": "2"}) as served:
        done = schemathesis(served.url, tmp_path, EXAMPLES)
        stored = int(served.cli("events", "count"))
        assert status_of(served.url) == 200
        assert served.stop() == 0
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "internal_error" not in log_of(data)
    figure(f"{said(done.stdout)}, {stored} events stored, 0 answers that no document has, 0 tracebacks")
    assert stored > 50


def said(output: str) -> str:
    """Return how many cases were generated, in schemathesis' own words."""
    found = GENERATED.search(output)
    return f"{found[0]} cases" if found else output[-300:]
