"""TLS on the server's own sockets: answers, bounds, limits and ends are those of plain connections.

On uvloop, as the gateway serves: asyncio's own TLS of Python 3.11 can neither abort nor end below what still comes.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import uvloop

from gateway.dialect.message import Response
from gateway.dialect.outcome import Refusal
from gateway.http.bind import bind
from gateway.http.client_address import client_ip
from gateway.http.connection_limits import DESCRIPTORS, PER_ADDRESS, RESERVED, ConnectionLimits
from gateway.http.handler import RequestHead
from gateway.http.limits import Timeouts
from gateway.http.listening.certificate import load
from gateway.http.server import Server
from tests.kit.certificates import certificate, client

LIMIT = 1 << 20
IDLE = 1.0
PATIENCE = 20.0
ROOM = RESERVED + 40  # descriptors
GET = b"GET / HTTP/1.1\r\nHost: g\r\n\r\n"


class Echo:
    """Answers the size of a body, or why there is none; `/slow` when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    def route(self, head: RequestHead) -> "Place":
        return Place(self.go if head.path == "/slow" else None)

    def cors(self, _head: RequestHead) -> str:
        return ""


@attrs.frozen
class Place:
    go: asyncio.Event | None
    body_limit: int = LIMIT

    async def answer(self, body: bytes | Refusal) -> Response:
        if self.go is not None:
            await self.go.wait()
        if isinstance(body, Refusal):
            return Response(413, body.reason.value.encode())
        return Response(200, str(len(body)).encode())


@attrs.frozen
class Running:
    server: Server
    handler: Echo
    port: int
    trust: ssl.SSLContext
    refused: list[tuple[str, int]]
    clients: list[asyncio.StreamWriter] = attrs.field(factory=list)

    async def client(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust)
        self.clients.append(writer)
        writer.write(sent)
        return reader, writer

    async def plain(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect without a handshake."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.clients.append(writer)
        writer.write(sent)
        return reader, writer


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    pair = certificate(tmp_path_factory.mktemp("pair"))
    return load(pair.certificate, pair.key), client(pair)


@asynccontextmanager
async def running(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    *,
    per_address: int = 0,
    descriptors: int = 1 << 30,
    handed_over: bool = False,
) -> AsyncIterator[Running]:
    handler, refused = Echo(), list[tuple[str, int]]()
    limits = ConnectionLimits(
        per_address, (), lambda reason, count: refused.append((reason, count)), descriptors=lambda: descriptors
    )
    server = Server(handler, client_ip(()), Timeouts(body=5.0, idle=IDLE), limits=limits)
    url = await server.start(bind("127.0.0.1", 0), tls=lambda: contexts[0], handed_over=handed_over)
    assert url.startswith("https://127.0.0.1:")
    found = Running(server, handler, int(url.rpartition(":")[2]), contexts[1], refused)
    try:
        yield found
    finally:
        handler.go.set()
        for writer in found.clients:
            writer.transport.abort()
        await server.stop()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the status and the body of the next answer; nothing where the connection is closed."""
    try:
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).lower()
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return int(head[9:12]), await reader.readexactly(int(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, b""


def post(size: int, path: bytes = b"/") -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n" % (path, size) + b"x" * size


async def gone(running: Running) -> None:
    async with asyncio.timeout(PATIENCE):
        while running.server._all():  # noqa: ASYNC110 - each goes by itself
            await asyncio.sleep(0.01)


def test_requests_are_answered_on_one_connection_and_large_bodies_within_their_limit(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def conversation() -> list[tuple[int, bytes]]:
        async with running(contexts) as found:
            reader, writer = await found.client(GET + GET)
            answers = [await answer(reader) for _ in range(2)]
            assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
            for size in (1, 20_000, LIMIT):
                writer.write(post(size))
                answers.append(await answer(reader))
            writer.write(post(LIMIT + 1))
            answers.append(await answer(reader))
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
            return answers

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        got = runner.run(conversation())
    sizes = [b"0", b"0", b"1", b"20000", str(LIMIT).encode()]
    assert got == [*[(200, size) for size in sizes], (413, b"too_large")]


def test_what_is_no_tls_is_closed_and_so_is_a_handshake_that_does_not_end(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def conversation() -> None:
        async with running(contexts) as found:
            for sent in (GET, b"\0" * 100_000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 5000):
                reader, writer = await found.plain(sent)
                with_alert = await asyncio.wait_for(reader.read(), PATIENCE)
                assert not with_alert or with_alert[0] == 21
                writer.close()
            silent = [await found.plain(part) for part in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")]
            began = asyncio.get_running_loop().time()
            for reader, writer in silent:
                await asyncio.wait_for(reader.read(), PATIENCE)
                writer.close()
            assert asyncio.get_running_loop().time() - began > IDLE / 2
            reader, writer = await found.client(GET)
            assert await answer(reader) == (200, b"0")
            writer.close()
            await gone(found)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(conversation())
    assert caplog.messages == []


def test_handshakes_count_against_the_limits_of_connections(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async def conversation() -> None:
        async with running(contexts, per_address=3) as found:
            silent = [await found.plain() for _ in range(3)]
            assert await (await found.plain())[0].read() == b""
            with pytest.raises(ConnectionError):
                await found.client()
            assert found.refused == [(PER_ADDRESS, 1)] * 2
            silent.pop()[1].transport.abort()
            while len(found.server._all()) == 3:  # noqa: ASYNC110 - the client is gone before the server has heard of it
                await asyncio.sleep(0.01)
            reader, writer = await found.client(GET)
            assert await answer(reader) == (200, b"0")
            writer.close()
            for _, other in silent:
                other.close()
            await gone(found)
            assert found.server._limits.counts == {}
        async with running(contexts, descriptors=1) as found:
            reader, _ = await found.plain()
            assert await reader.read() == b""  # nobody is idle
            assert found.refused == [(DESCRIPTORS, 1)]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(conversation())


def test_a_burst_of_connections_takes_no_more_descriptors_than_there_are(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def conversation() -> None:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.socket()) for _ in range(300)]
            async with running(contexts, descriptors=clients[-1].fileno() + ROOM) as found:
                for each in clients:
                    each.connect(("127.0.0.1", found.port))
                most = 0
                for _ in range(1000):  # turns of the loop
                    await asyncio.sleep(0)
                    most = max(most, len(found.server._all()))
                assert ROOM - RESERVED < most < ROOM
                reader, _ = await found.client(GET)
                assert await answer(reader) == (200, b"0")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(conversation())


def test_a_client_that_ends_behind_its_request_or_never_says_goodbye_does_no_harm(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def conversation() -> float:
        loop = asyncio.get_running_loop()
        async with running(contexts) as found:
            _, slow = await found.client(post(10, b"/slow"))
            await asyncio.sleep(0.1)
            slow.close()  # with TLS that is the end of both directions
            [connection] = found.server.connections()
            async with asyncio.timeout(PATIENCE):
                while connection.kept_transport is not None:  # noqa: ASYNC110 - it goes by itself
                    await asyncio.sleep(0.01)
            found.handler.go.set()
            _, idle = await found.client(GET)
            idle.transport.pause_reading()  # type: ignore[attr-defined]  # it hears of no end
            began = loop.time()
            await found.server.stop()
            took = loop.time() - began
            idle.transport.abort()
            return took

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(conversation()) < 3.0
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_server_whose_socket_goes_on_answers_those_that_it_has_accepted(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def conversation() -> list[bytes]:
        async with running(contexts, handed_over=True) as found:
            kept, silent = await found.client(GET), await found.client()
            assert await answer(kept[0]) == (200, b"0")
            stopping = asyncio.create_task(found.server.stop())
            await asyncio.sleep(0.1)
            for _, writer in (kept, silent):
                writer.write(GET)
            heads = [await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE) for reader, _ in (kept, silent)]
            for _, writer in (kept, silent):
                writer.close()
            await stopping
            return [head.partition(b"Content-Type")[0] for head in heads]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(conversation()) == [b"HTTP/1.1 200 OK\r\nConnection: close\r\n"] * 2


def test_what_a_client_sends_ahead_is_not_read_on(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async def conversation() -> tuple[int, int]:
        async with running(contexts) as found:
            _, writer = await found.client(b"GET /slow HTTP/1.1\r\nHost: g\r\n\r\n")
            taken = 0
            with contextlib.suppress(TimeoutError):
                while taken < 64 << 20:
                    writer.write(GET * 1000)
                    await asyncio.wait_for(writer.drain(), 0.5)
                    taken += len(GET) * 1000
            [connection] = found.server.connections()
            assert connection.transport is not None
            return taken, connection.transport.get_read_buffer_size()  # type: ignore[attr-defined]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        taken, waiting = runner.run(conversation())
    assert taken < 16 << 20  # most of it is in the kernel's buffers
    assert waiting < 512 << 10
