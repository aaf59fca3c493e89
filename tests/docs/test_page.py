import contextlib
import http.server
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.docs.expectations import EXAMPLES, PATIENCE, expected_event, make_key, program
from tests.kit.serving import serving
from tests.sdk.programs import CHROMIUM

FLAGS = [
    "--headless",
    "--dump-dom",
    "--virtual-time-budget=20000",  # milliseconds of the page's own time, which passes at once when nothing is going on
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def hosting(folder: Path) -> Iterator[str]:
    """Serve a folder's pages, on another origin than the gateway's."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def browse(url: str) -> list[str]:
    """Open a page, let it come to rest, and return the lines that it shows."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [program(*CHROMIUM, "chromium-browser", "google-chrome"), *FLAGS, f"--user-data-dir={profile}", url],
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return re.findall("<li>(.*?)</li>", done.stdout)


def test_a_page_sends_by_fetch_by_beacon_and_through_the_browsee_shim(tmp_path: Path) -> None:
    data = tmp_path / "data"
    site = make_key(data, "databuddy", "website", "--origin", "127.0.0.1")
    key = make_key(data, "browsee", "api_key", "--origin", "127.0.0.1")
    with serving(data) as served, hosting(EXAMPLES) as host:
        search = f"?{urlencode({'gateway': served.url, 'site': site, 'key': key})}"
        shown = browse(f"{host}/page.html{search}")
        events = {(each["dialect"], each["name"] or each["type"]): each for each in served.events()}
        assert served.stop() == 0
    agent = {"user_agent": events["databuddy", "opened"]["context"]["user_agent"], "ip": "127.0.0.1"}
    databuddy = {"project": "default", "dialect": "databuddy", "type": "track"}
    browsee = {"project": "default", "dialect": "browsee", "user_id": "u-1"}
    browsee["anonymous_id"] = events["browsee", "opened"]["anonymous_id"]
    title = "A page that sends to the gateway"
    page = {"url": f"{host}/page.html{search}", "path": "/page.html", "search": search, "title": title}
    meant = {
        ("databuddy", "opened"): {
            **databuddy,
            "name": "opened",
            "properties": {"by": "fetch"},
            "context": {**agent, "app": {"id": site}, "page": {"path": "/page.html"}},
        },
        ("databuddy", "left"): {
            **databuddy,
            "name": "left",
            "properties": {"by": "beacon"},
            "context": {**agent, "app": {"id": site}},
        },
        ("browsee", "identify"): {
            **browsee,
            "type": "identify",
            "traits": {"plan": "pro"},
            "context": {**agent, "page": page},
        },
        ("browsee", "opened"): {
            **browsee,
            "type": "track",
            "name": "opened",
            "properties": {"by": "shim"},
            "context": {**agent, "page": page},
        },
    }
    assert events == {which: expected_event(events[which], **facts) for which, facts in meant.items()}
    assert sorted(shown) == [
        "beacon: true",
        f"browsee: {browsee['anonymous_id']}",
        'fetch: 200 {"status":"success","type":"custom_event","count":1}',
    ]
