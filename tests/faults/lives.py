"""A gateway's life, watched: what it wrote on stderr must hold no traceback, however it ended."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.request import urlopen

from tests.kit.serving import Served, serving

EVERY_LINE = {"GATEWAY_LOG_LEVEL": "debug", "GATEWAY_LOG_FORMAT": "json"}
"""The environment of a gateway that logs each rejection with all its facts, and folds none."""
TRACEBACK = "Traceback (most recent call last)"


@contextlib.contextmanager
def watched(
    data: Path, *arguments: str, env: Mapping[str, str] | None = None, new_python: bool = False
) -> Iterator[Served]:
    """Serve as `serving` does; fails where the log then shows that something was not foreseen."""
    with serving(data, *arguments, env=env, new_python=new_python) as served:
        yield served
    said = log_of(data)
    assert TRACEBACK not in said, said[said.index(TRACEBACK) :][:4000]


def log_of(data: Path) -> str:
    """Return what the last gateway on a data directory wrote on stderr."""
    return (data.parent / f"{data.name}.stderr").read_text("utf-8", "replace")


def complaints(data: Path) -> list[str]:
    """Return the lines that it wrote there beside those of the level info."""
    return [line for line in log_of(data).splitlines() if line.split()[1:2] != ["INFO"]]


def status_of(url: str, path: str = "/-/ready") -> int:
    """Return the status that a GET is answered with."""
    try:
        with urlopen(url + path, timeout=5) as answer:
            return int(answer.status)
    except OSError as error:
        return int(getattr(error, "code", 0))


def seconds_until(url: str, status: int, patience: float = 10.0) -> float:
    """Return how long it took until `/-/ready` answered so."""
    started = time.monotonic()
    while status_of(url) != status:
        assert time.monotonic() - started < patience, f"/-/ready is not {status} after {patience} s"
        time.sleep(0.02)
    return time.monotonic() - started
