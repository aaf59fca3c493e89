"""A gateway in a process of its own, which can be killed, and connections to it that may be cut. Loopback only."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from gateway.testing.check import fail
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.postgres.kept import Kept

PATIENCE = 30.0
"""Seconds that a start, an answer or an end may take on a busy machine."""
POLL = 0.01
URL = re.compile(r"^(http://\S+)\n", re.MULTILINE)
COMMAND = "import sys; sys.path[:] = {path!r}; from gateway.cli.main import main; main()"
BODILESS = (204, 304)


class Cut(Exception):
    """The connection ended before the answer was whole."""


@attrs.frozen
class Gateway:
    """A running `gateway serve`: its address, and what kills or ends it."""

    url: str
    process: Kept

    def kill(self) -> None:
        """Kill it with SIGKILL, at once."""
        self.process.end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end as an init system would."""
        self.process.end(signal.SIGTERM)


@contextlib.contextmanager
def serving(data: Path, config: Path) -> Iterator[Gateway]:
    """Start `gateway serve` on a data directory and a free port, and kill it afterwards if it still runs.

    It finds the modules that this process finds. It does not outlive this process, however that ends, and nor does the
    folder of its data directory.
    """
    path = [os.path.abspath(each) for each in sys.path]  # it runs elsewhere
    command = [sys.executable, "-c", COMMAND.format(path=path), "serve", "--data", str(data)]
    options = ["--config", str(config), "--host", "127.0.0.1", "--port", "0", "--workers", "1", "--no-console"]
    log = data.parent / "log"
    log.unlink(missing_ok=True)
    process = Kept.start([*command, *options], data.parent, log, user=None)
    try:
        yield Gateway(_url(process, log), process)
    finally:
        process.end(signal.SIGKILL)


def _url(process: Kept, log: Path) -> str:
    """Return the address that a gateway prints once it is ready."""
    deadline = time.monotonic() + PATIENCE
    found = URL.search(log.read_text("utf-8", "replace"))
    while found is None:
        if not process.runs() or time.monotonic() > deadline:
            said = log.read_text("utf-8", "replace")[-500:].strip()
            wrong = f"`gateway serve` ended before it was ready: {said}"
            fail(wrong, "mend what it says: a gateway with this dialect does not start")
        time.sleep(POLL)
        found = URL.search(log.read_text("utf-8", "replace"))
    return found[1]


@attrs.define
class Client:
    """Sends requests to a gateway over one keep-alive connection at a time, which it opens when there is none."""

    url: str
    _connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: SentRequest) -> Answer:
        """Send a request and return its answer. Raises Cut where nobody listens, or nobody answers."""
        try:
            if self._connection is None:
                place = urlsplit(self.url)
                self._connection = await asyncio.open_connection(place.hostname, place.port)
            reader, writer = self._connection
            async with asyncio.timeout(PATIENCE):
                writer.write(as_bytes(request))
                await writer.drain()
                answer = await _answer(reader, request.method)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Cut(repr(error)) from error
        if answer.header("Connection") == "close":
            self.close()
        return answer

    def close(self) -> None:
        """Close the connection, whatever is on its way."""
        if self._connection is not None:
            self._connection[1].transport.abort()
        self._connection = None


async def _answer(reader: asyncio.StreamReader, method: str) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    status = int(first.split(" ")[1])
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    answer = Answer(status, headers, b"")
    length = 0 if status in BODILESS or method == "HEAD" else int(answer.header("Content-Length") or 0)
    return attrs.evolve(answer, body=await reader.readexactly(length))


def as_bytes(request: SentRequest) -> bytes:
    """Return a request as it is sent over HTTP/1.1."""
    kept = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
    if all(name.lower() != "host" for name in kept):
        kept["Host"] = "127.0.0.1"
    if request.body or request.method != "GET":
        kept["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {request.target} HTTP/1.1", *[f"{name}: {value}" for name, value in kept.items()]]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + request.body
