"""What a client sends ahead or breaks off: how much of it waits, whom it keeps waiting, and that nothing stays."""

import asyncio
import gc
import logging
import socket
import struct
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import attrs
import pytest
import uvloop
from aiohttp import StreamReader, web

from gateway.dialect.message import Response
from gateway.dialect.outcome import Refusal
from gateway.http.bind import bind
from gateway.http.connection import Connection
from gateway.http.handler import RequestHead
from gateway.http.limits import MEBIBYTE, Budget, Timeouts
from gateway.http.server import Server

LIMIT = MEBIBYTE
PATIENCE = 30.0
TURN = 0.1  # seconds of CPU that one turn of the loop may take at most
HOST = b"Host: g\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


def post(declared: int, sent: int) -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % declared + b"x" * sent


class Slow:
    """Answers `/slow` when it is told to, and everything else at once; what is at `/none` has no body."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.answered = 0

    def route(self, head: RequestHead) -> "Place":
        return Place(self, head.path)

    def cors(self, _head: RequestHead) -> str:
        return ""


@attrs.frozen
class Place:
    handler: Slow
    path: str

    @property
    def body_limit(self) -> int | None:
        return None if self.path == "/none" else LIMIT

    async def answer(self, body: bytes | Refusal) -> Response:
        if self.path == "/slow":
            await self.handler.go.wait()
        if self.path == "/large":
            return Response(200, b"x" * 20_000_000)
        self.handler.answered += 1
        return Response(400 if isinstance(body, Refusal) else 200)


@attrs.frozen
class Running:
    server: Server
    port: int
    budget: Budget
    handler: Slow

    async def gone(self) -> None:
        """Return when no connection is left."""
        async with asyncio.timeout(PATIENCE):
            while self.server.connections():  # noqa: ASYNC110 - each goes by itself
                await asyncio.sleep(0.01)

    def client(self) -> socket.socket:
        """Return a connection that a thread uses: it sends while the loop reads."""
        connected = socket.create_connection(("127.0.0.1", self.port))
        connected.settimeout(0.5)
        return connected


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    budget, handler = Budget(2 * MEBIBYTE), Slow()
    server = Server(handler, lambda peer, _forwarded: peer, Timeouts(body=5.0, idle=5.0), budget)
    url = await server.start(bind("127.0.0.1", 0))
    yield Running(server, int(url.rpartition(":")[2]), budget, handler)
    handler.go.set()
    await server.stop()


def send(client: socket.socket, *parts: bytes) -> None:
    """Send as much of the parts as the server takes."""
    try:
        for part in parts:
            client.sendall(part)
    except OSError:
        pass


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("first", [b"/slow", b"/large"], ids=["is not answered yet", "has an answer that nobody reads"])
async def test_no_more_than_one_read_waits_behind_a_request_that(running: Running, first: bytes) -> None:
    client = running.client()
    await asyncio.to_thread(send, client, GET.replace(b"/", first, 1), *[post(500_000, 500_000)] * 40)
    assert 0 < running.budget.held <= 300_000
    assert running.handler.answered == 0
    reset(client)
    running.handler.go.set()
    await running.gone()
    assert running.budget.held == 0


async def test_heads_without_an_end_count_as_what_is_unfinished(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clients = [running.client() for _ in range(60)]
    for client in clients:
        await asyncio.to_thread(send, client, b"GET /" + b"x" * 60_000)
    await asyncio.sleep(0.1)
    assert running.budget.held <= running.budget.max_bytes
    assert 30 <= len(running.server.connections()) < 40
    assert caplog.messages == [
        "refused a request from 127.0.0.1: too much of all requests is unfinished"
    ]  # then counted
    for client in clients:
        client.close()
    await running.gone()
    assert running.budget.held == 0


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: 1\r\n" * 10_000),
        (CHUNKED + b"1\r\nx\r\n1;", b"e" * 60_000),
        (CHUNKED.replace(b"/", b"/none", 1) + b"1;", b"e" * 60_000),
    ],
    ids=["trailers", "small trailers", "an extension", "an extension that nobody wants"],
)
async def test_what_is_no_content_of_a_chunked_body_is_cut_off(running: Running, start: bytes, more: bytes) -> None:
    client = running.client()
    tracemalloc.start()
    try:
        await asyncio.to_thread(send, client, start, *[more] * 200)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    client.close()
    await running.gone()
    assert peak < 2 * MEBIBYTE
    assert (running.handler.answered, running.budget.held) == (1, 0)


def reading(client: socket.socket) -> Callable[[], bytes]:
    def everything() -> bytes:
        parts = []
        try:
            while part := client.recv(65536):
                parts.append(part)
        except OSError:
            pass
        return b"".join(parts)

    return everything


@pytest.mark.parametrize(
    "sent",
    [
        GET * 6000,
        b"\r\n" * 120_000,
        (GET + b"\r\n" * 30_000) * 4,
        CHUNKED + b"1\r\nx\r\n" * 40_000,
        CHUNKED + b"2\r\nxx\r\n" * 40_000,
        b"GET http://xn--" + b"a" * 65_000 + b"/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: %s\r\n" % (at, b"y" * 200) for at in range(250)) + b"\r\n",
    ],
    ids=["requests", "line ends", "requests and line ends", "chunks of a byte", "of two", "a long host", "headers"],
)
async def test_no_client_keeps_the_others_waiting(running: Running, sent: bytes) -> None:
    """Turns are measured in CPU, so that whatever else the machine does plays no part."""
    loop = asyncio.get_running_loop()
    turns = [time.thread_time()]
    goes_on = True

    def turn() -> None:
        turns.append(time.thread_time())
        if goes_on:
            loop.call_soon(turn)

    loop.call_soon(turn)
    client = running.client()
    read = asyncio.create_task(asyncio.to_thread(reading(client)))
    await asyncio.to_thread(send, client, sent)
    client.shutdown(socket.SHUT_WR)
    assert (await read)[:9] == b"HTTP/1.1 "
    goes_on = False
    client.close()
    assert max(after - before for before, after in pairwise(turns)) < TURN


def test_a_refused_flood_is_dropped_one_read_at_a_time() -> None:
    """On uvloop, which would go on reading while there is something."""

    async def most_in_a_turn() -> int:
        server = Server(Slow(), lambda peer, _forwarded: peer)
        url = await server.start(bind("127.0.0.1", 0))
        running = Running(server, int(url.rpartition(":")[2]), Budget(), Slow())
        loop, received = asyncio.get_running_loop(), [0]

        def turn() -> None:
            received.append(server._trimmer.bytes_received)
            loop.call_soon(turn)

        turn()
        client = running.client()
        await asyncio.to_thread(send, client, post(900_000_000, 0), *[b"x" * MEBIBYTE] * 100)
        client.close()
        await running.gone()
        await server.stop()
        return max(after - before for before, after in pairwise(received))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(most_in_a_turn()) < MEBIBYTE


BROKEN_OFF = {
    "a body": (post(900_000, 200_000),),
    "a body in pieces": (post(900_000, 0), b"x" * 600_000),
    "chunks": (CHUNKED, CHUNK * 3),
    "a broken chunk": (CHUNKED, CHUNK * 3 + b"zz\r\n"),
    "a body over the limit": (post(90_000_000, 200_000),),
    "a body that nobody wants": (post(60_000, 50_000).replace(b"/", b"/none", 1),),
    "requests ahead": (GET.replace(b"/", b"/slow", 1) + post(200_000, 200_000) * 5,),
    "an answer that nobody reads": (GET.replace(b"/", b"/large", 1), post(200_000, 200_000) * 5),
    "what is not http": (b"hello\r\n\r\n" + b"x" * 100_000,),
    "a head": (b"GET /" + b"x" * 60_000,),
    "a long header": (b"GET / HTTP/1.1\r\nX: " + b"x" * 160_000 + b"\r\n\r\n",),
}


@pytest.mark.parametrize("end", [reset, socket.socket.close], ids=["reset", "closed"])
@pytest.mark.parametrize("name", BROKEN_OFF)
async def test_what_breaks_off_is_in_no_reference_cycle(
    running: Running, name: str, end: Callable[[socket.socket], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A server collects such cycles rarely: a request itself makes none."""
    gc.collect()
    gc.disable()
    try:
        for pause in (0.0, 0.05):
            client = running.client()
            await asyncio.to_thread(send, client, *BROKEN_OFF[name])
            await asyncio.sleep(pause)
            end(client)
            running.handler.go.set()
            await running.gone()
            running.handler.go.clear()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [each for each in gc.garbage if isinstance(each, Connection | StreamReader | web.BaseRequest)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []
    assert running.budget.held == 0
    assert [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"] == []
