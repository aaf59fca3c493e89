"""A team's own web site on loopback: pages and scripts on another origin than the gateway's."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs

PAGES = Path(__file__).parent / "pages"
HOST = "shop.example.test"  # Chromium is told that every *.test is 127.0.0.1; some trackers refuse to run on localhost
SCRIPT = "text/javascript; charset=utf-8"
HTML = "text/html; charset=utf-8"


@attrs.define
class Site:
    """What the site serves, by path; everything in `pages/` is there from the start.

    `policy` is the Content-Security-Policy that every answer then has.
    """

    port: int
    files: dict[str, tuple[str, bytes]]
    policy: str = ""

    def page(self, path: str, body: str, title: str = "Shop") -> str:
        """Serve a page of this body; return its address."""
        head = f"<meta charset=utf-8><title>{title}</title><link rel=icon href=data:,>"
        html = f"<!doctype html><html lang=en><head>{head}</head>{body}"
        self.files[path] = (HTML, html.encode())
        return f"http://{HOST}:{self.port}{path}"

    def script(self, path: str, source: bytes) -> None:
        self.files[path] = (SCRIPT, source)


@contextlib.contextmanager
def hosting() -> Iterator[Site]:
    """Serve a site on a free port of loopback."""
    files = {f"/{file.name}": (SCRIPT, file.read_bytes()) for file in PAGES.glob("*.js")}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            type_, body = files.get(self.path.partition("?")[0], (HTML, b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", type_)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")  # as a CDN does
            if site.policy:
                self.send_header("Content-Security-Policy", site.policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(server.server_port, files)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
