"""Somebody who has the console open: `python -m tests.bench.watcher URL`, with the admin token on standard input.

Keeps the live stream open and asks for the overview every ten seconds, as the pages do. Prints a line once both have
answered, and ends with its parent's pipe.
"""

import http.client
import sys
import threading
import time
from urllib.parse import urlsplit

EVERY = 10.0
PATIENCE = 30.0


def main() -> None:
    """Watch until standard input ends."""
    address, token = urlsplit(sys.argv[1]).netloc, sys.stdin.readline().strip()
    live = _get(address, "/api/live", token, "text/event-stream")
    threading.Thread(target=_read, args=(live,), daemon=True).start()
    threading.Thread(target=_look, args=(address, token), daemon=True).start()
    sys.stdin.read()


def _look(address: str, token: str) -> None:
    while True:
        _get(address, "/api/overview?span=hour", token, "application/json").read()
        print("watching", flush=True)
        time.sleep(EVERY)


def _read(stream: http.client.HTTPResponse) -> None:
    while stream.read1(1 << 16):
        pass


def _get(address: str, path: str, token: str, accepted: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": accepted})
    answer = connection.getresponse()
    if answer.status != 200:
        sys.exit(f"{path} was answered {answer.status}")
    return answer


if __name__ == "__main__":
    main()
