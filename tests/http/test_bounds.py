"""What one client may cost a server: bytes of unfinished requests, of answers that nobody reads, and time."""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import AsyncIterator

import attrs
import pytest

from gateway.dialect.message import Response
from gateway.dialect.outcome import Reason, Refusal
from gateway.http.bind import bind
from gateway.http.handler import RequestHead
from gateway.http.limits import MEBIBYTE, Budget, Timeouts
from gateway.http.server import Server

LIMIT = 2 * MEBIBYTE
IDLE = 0.6
PATIENCE = 30.0
HOST = b"Host: g\r\n"


class Sink:
    """Answers each body with as many bytes as its path asks for."""

    def route(self, head: RequestHead) -> "Place":
        return Place(int(head.path[1:] or 0))

    def cors(self, _head: RequestHead) -> str:
        return ""


@attrs.frozen
class Place:
    size: int
    body_limit: int = LIMIT

    async def answer(self, body: bytes | Refusal) -> Response:
        status = 200 if isinstance(body, bytes) else 503 if body.reason is Reason.UNAVAILABLE else 400
        return Response(status, b"x" * self.size)


@attrs.frozen
class Running:
    server: Server
    port: int
    budget: Budget
    clients: list[asyncio.StreamWriter] = attrs.field(factory=list)

    @property
    def connections(self) -> int:
        return len(self.server.connections())


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    budget = Budget(3 * MEBIBYTE)
    server = Server(Sink(), lambda peer, _forwarded: peer, Timeouts(body=5.0, idle=IDLE), budget)
    url = await server.start(bind("127.0.0.1", 0))
    found = Running(server, int(url.rpartition(":")[2]), budget)
    try:
        yield found
    finally:
        for writer in found.clients:
            writer.transport.abort()
        await server.stop()


async def gone(running: Running) -> bool:
    """Return whether every connection went in the time that they have, and some."""
    async with asyncio.timeout(PATIENCE):
        while running.connections:  # noqa: ASYNC110 - each goes by itself
            await asyncio.sleep(0.05)
    return True


async def connected(running: Running, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection and send on it; the fixture closes it, however the test ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
    running.clients.append(writer)
    writer.write(sent)
    return reader, writer


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Return what came before the connection ended, however it did."""
    got = bytearray()
    try:
        while part := await asyncio.wait_for(reader.read(1 << 16), PATIENCE):
            got += part
    except ConnectionError:
        pass
    return bytes(got)


async def test_a_client_that_takes_no_byte_of_its_answer_is_closed(running: Running) -> None:
    asked = b"GET /20000000 HTTP/1.1\r\n" + HOST + b"\r\n"
    clients = [await connected(running, asked) for _ in range(5)]
    answers = [await reader.readline() for reader, _writer in clients]
    assert await gone(running)
    assert answers == [b"HTTP/1.1 200 OK\r\n"] * 5
    assert [len(await rest(reader)) < 20_000_000 for reader, _writer in clients] == [True] * 5


async def flood(writer: asyncio.StreamWriter, part: bytes, most: int) -> int:
    """Send a part again and again; return how much was taken before the server closed, stopped reading, or had all."""
    sent = 0
    try:
        async with asyncio.timeout(PATIENCE):
            while sent < most:
                writer.write(part)
                await writer.drain()
                sent += len(part)
                await asyncio.sleep(0)
    except (ConnectionError, TimeoutError):
        pass
    return sent


async def test_a_client_that_sends_requests_and_reads_nothing_is_not_read_on(running: Running) -> None:
    request = b"GET /100000 HTTP/1.1\r\n" + HOST + b"\r\n"
    _reader, writer = await connected(running, request)
    assert await flood(writer, request * 100, 64 * MEBIBYTE) < 32 * MEBIBYTE
    assert await gone(running)
    writer.close()


async def test_an_upload_that_breaks_off_leaves_nothing_behind(running: Running) -> None:
    gc.disable()  # as after a server's start: what is left in a cycle stays for long
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(40):
            head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2000000\r\n\r\n"
            _reader, writer = await connected(running, head + b"x" * 1_900_000)
            await writer.drain()
            writer.transport.abort()
            assert await gone(running)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert (running.budget.held, (after - before) // (16 * MEBIBYTE)) == (0, 0)


async def test_unfinished_bodies_together_take_no_more_than_they_may(running: Running) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2000000\r\n\r\n"
    clients = [await connected(running, head + b"x" * 1_000_000) for _ in range(8)]
    answers = []
    for reader, _writer in clients:
        try:
            answers.append((await asyncio.wait_for(reader.readline(), 1.0)).split()[1])
        except TimeoutError:
            answers.append(b"waits")
    assert running.budget.held <= 3 * MEBIBYTE
    assert {answer: answers.count(answer) for answer in answers} == {b"waits": 3, b"503": 5}
    for _reader, writer in clients:
        writer.transport.abort()
    assert await gone(running)
    assert running.budget.held == 0


@pytest.mark.parametrize(
    "start",
    [b"GET /0 HTTP/1.1\r\n" + HOST + b"X: 1\r\n" * 200 + b"Y: ", b"GET /", b"\r\n", b"GET /0 HTTP/1.1\r\nX"],
    ids=["a header without an end", "a target without an end", "line ends", "a name without an end"],
)
async def test_a_head_without_an_end_is_cut_off(running: Running, start: bytes) -> None:
    reader, writer = await connected(running, start)
    await flood(writer, (b"\r\n" if start == b"\r\n" else b"xx") * 8192, MEBIBYTE)
    assert await asyncio.wait_for(reader.read(12), PATIENCE) == b"HTTP/1.1 400"
    writer.transport.abort()
    assert await gone(running)


async def test_chunks_that_are_mostly_their_own_size_are_cut_off(running: Running) -> None:
    _reader, writer = await connected(running, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
    assert await flood(writer, (b"1;" + b"e" * 4000 + b"\r\nx\r\n") * 16, 64 * MEBIBYTE) < 32 * MEBIBYTE
    assert await gone(running)


@pytest.mark.parametrize(
    ("chunk", "count", "status"),
    [(b"1\r\nx\r\n", 10_000, b"200"), (b"1\r\nx\r\n", 60_000, b"400"), (b"3\r\nxxx\r\n", LIMIT // 6, b"200")],
    ids=["few chunks of a byte", "many of a byte", "many of three bytes"],
)
async def test_a_body_may_come_in_small_chunks_unless_it_is_mostly_their_sizes(
    running: Running, chunk: bytes, count: int, status: bytes
) -> None:
    chunked = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    reader, writer = await connected(running, chunked)
    for _ in range(0, count, 1000):
        writer.write(chunk * 1000)
        await asyncio.sleep(0)
    writer.write(b"0\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), PATIENCE)).split()[1] == status
    writer.transport.abort()
    assert await gone(running)
    assert running.budget.held == 0


async def test_a_connection_that_never_says_a_word_is_closed(running: Running) -> None:
    opened = time.monotonic()
    clients = [await connected(running, b"") for _ in range(200)]
    last = time.monotonic()
    assert {await asyncio.wait_for(reader.read(), PATIENCE) for reader, _writer in clients} == {b""}
    assert time.monotonic() - opened > IDLE
    assert time.monotonic() - last < PATIENCE
    assert running.connections == 0
