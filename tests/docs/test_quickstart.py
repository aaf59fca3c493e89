import json
import os
import subprocess
import sys
from pathlib import Path

from tests.docs.expectations import EXAMPLES, PATIENCE, expected_event, program
from tests.kit.serving import LAST_POSITION, serving

SCRIPT = EXAMPLES / "quickstart.sh"


def quickstart(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    program("curl")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PATH": path, "TMPDIR": str(temporary), **environ},
        check=False,
    )


def check_output(output: str) -> None:
    """Check that the output is the four vendors' answers, then the four events."""
    lines = output.splitlines()
    databuddy, appizer, tranthor, browsee = [json.loads(line) for line in lines[4:]]
    answers = [json.loads(line) if line else None for line in lines[:4]]
    assert answers == [
        {"status": "success", "type": "custom_event", "count": 1},
        {"success": True, "event_id": f"evt_{appizer['message_id']}", "message": "Event tracked successfully"},
        None,
        {"status": "success"},
    ]
    meant = {"project": "quickstart", "type": "track", "name": "signed_up"}
    assert databuddy == expected_event(databuddy, dialect="databuddy", properties={"plan": "pro"}, **meant)
    assert appizer == expected_event(appizer, dialect="appizer", user_id="u-1", **meant)
    assert tranthor == expected_event(tranthor, dialect="tranthor", user_id="u-1", **meant)
    assert tranthor["message_id"].startswith("quickstart-")
    assert browsee == expected_event(browsee, dialect="browsee", user_id="u-1", **meant)


def test_it_starts_a_gateway_of_its_own_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = quickstart(tmp_path)
    said = "".join(line for line in done.stderr.splitlines(keepends=True) if line.split()[1:2] != ["INFO"])
    assert (done.returncode, LAST_POSITION.sub("", said)) == (0, "")
    check_output(done.stdout)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_it_uses_a_gateway_that_runs_already(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        done = quickstart(tmp_path, served.url, str(served.data))
        assert (done.returncode, LAST_POSITION.sub("", done.stderr)) == (0, "")
        check_output(done.stdout)
        assert [json.loads(line) for line in done.stdout.splitlines()[4:]] == served.events()
        assert served.stop() == 0


def test_it_ends_when_its_gateway_cannot_start(tmp_path: Path) -> None:
    done = quickstart(tmp_path, GATEWAY_PORT="none")
    assert (done.returncode, done.stdout) == (1, "")
    assert "GATEWAY_PORT: must be an integer" in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []
