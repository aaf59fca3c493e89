"""docs/operate/logs.md and reload.md: the lines that they show are those that a gateway writes."""

import re
import signal
from pathlib import Path

import requests

from tests.docs.readme import ROOT, blocks
from tests.kit.serving import PATIENCE, serving
from tests.workers.crowd import until

PAGES = "\n".join((ROOT / "docs" / "operate" / name).read_text("utf-8") for name in ("logs.md", "reload.md"))
SHOWN = [line for block in blocks("text", PAGES) for line in block.splitlines() if "2026-" in line]
LIMIT = "[limits.databuddy]\nrequests = {}\n"
DIFFERS = {
    r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z": "TIME",
    r"gateway [\w.+]+, Python [\d.]+, SQLite [\d.]+, data in \S+": "VERSIONS",
    r"/\S+\.toml": "FILE",
    r"server\.port = \d+": "PORT",
    r"http://127\.0\.0\.1:\d+": "URL",
    r"serving \w+(?:, \w+)* at": "serving DIALECTS at",
    r"stopped [\d.]+ s": "STOPPED",
    r'"seconds": [\d.]+': "SECONDS",
    r"2 more in a minute": "MORE",
}


def comparable(line: str) -> str:
    """Return a line without what is another one each time."""
    for pattern, name in DIFFERS.items():
        line = re.sub(pattern, name, line)
    return line


def test_the_lines_of_the_pages_are_those_of_a_gateway(tmp_path: Path) -> None:
    file, log = tmp_path / "gateway.toml", tmp_path / "data.stderr"

    def said() -> str:
        return log.read_text("utf-8")

    def reload(text: str) -> None:
        before = len(said())
        file.write_text(text)
        served.process.send_signal(signal.SIGHUP)
        until(lambda: "reloaded" in said()[before:])

    def track() -> None:
        headers = {"Origin": "https://shop.example", "X-Request-Id": "r-1"}
        url = f"{served.url}/track?website_id=00000000-0000-4000-8000-000000000000"
        requests.post(url, json={"name": "a"}, headers=headers, timeout=PATIENCE)

    file.write_text(LIMIT.format(600))
    with serving(tmp_path / "data", "--config", str(file)) as served:
        for _ in range(3):
            track()
        reload(LIMIT.format(600) + "[servre]\n")
        reload(LIMIT.format(900) + "[server]\nworkers = 2\n")
        reload(LIMIT.format(900) + "[log]\nformat = 'json'\n")
        track()
        assert served.stop() == 0
    written = {comparable(line) for line in said().splitlines()}
    assert [line for line in SHOWN if comparable(line) not in written] == []
    assert len(SHOWN) == 11
