"""What the tests of the examples share: a key to start with, expected events, the programs of this machine."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.dialect.event import Event, as_dict
from tests.kit.serving import run

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 30


def make_key(data: Path, dialect: str, kind: str, *arguments: str, project: str = "default") -> str:
    """Add a credential to a directory that no gateway serves yet, and return its value."""
    data.mkdir(mode=0o700, exist_ok=True)
    named = ("--data", str(data), "--project", project, "--dialect", dialect, "--kind", kind, "--json")
    done = run("keys", "add", *named, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return str(json.loads(done.stdout)["value"])


def expected_event(stored: Mapping[str, Any], **facts: Any) -> dict[str, object]:
    """Return a whole event with some facts; its id and times, which cannot be foreseen, are those of the stored one."""
    taken_over = {name: stored[name] for name in ("message_id", "timestamp", "received_at")}
    return as_dict(Event(**taken_over, **facts))


def program(*names: str) -> str:
    """Return the path of a program, by the first of its names that is found; skip the test if none is."""
    for name in names:
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        if found:
            return found
    # For whoever runs the tests without it; .ci/run installs it, and fails on any skip.
    pytest.skip(f"{names[0]} is not installed")
