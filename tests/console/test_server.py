"""The console's connections, on a real socket: what is not HTTP, what never ends, how many there may be."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.console import server
from gateway.console.application import application
from gateway.console.context import Console
from gateway.console.security import HEADERS
from gateway.console.server import answering
from gateway.http.bind import bind


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


GIVEN_UP = web.AppKey("GIVEN_UP", asyncio.Event)


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 65_536)
    finally:
        request.app[GIVEN_UP].set()


async def broken(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"begun")
    raise ValueError


@contextlib.asynccontextmanager
async def listening(given_up: asyncio.Event | None = None) -> AsyncIterator[int]:
    app = web.Application()
    app[GIVEN_UP] = given_up or asyncio.Event()
    app.add_routes([web.get("/", hello), web.get("/endless", endless), web.get("/broken", broken)])
    with bind("127.0.0.1", 0) as listener:
        async with answering(app, listener):
            yield listener.getsockname()[1]


async def sent(port: int, data: bytes) -> bytes:
    """Send bytes on a connection of their own; return all that comes before the console closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost\x00: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 10_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 10_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["TLS", "a header's name", "a header", "a target", "two lengths"],
)
async def test_what_is_not_http_is_answered_without_its_bytes_and_with_the_policy(data: bytes) -> None:
    async with listening() as port:
        head, _, body = (await sent(port, data)).decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    assert (status, body) == ("HTTP/1.0 400 Bad Request", "bad request: this is not HTTP that the console reads\n")
    named = dict(line.split(": ", 1) for line in lines)
    assert {name: named.get(name) for name in HEADERS} == HEADERS
    assert named["Cache-Control"] == "no-store"


@pytest.mark.parametrize("module_url", ["sqlite"], indirect=True, scope="module")
async def test_trailers_are_no_headers_of_another_request(served: Console) -> None:
    body = b"1\r\nx\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    chunked = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    with bind("127.0.0.1", 0) as listener:
        async with answering(application(served), listener):
            said = await sent(listener.getsockname()[1], chunked + b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (said.count(b"HTTP/1.1 "), b"Connection: close" in said) == (1, True)


async def test_a_head_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.3)
    async with listening() as port:
        assert await sent(port, b"GET / HTTP/1.1\r\nHost: ") == b""
        assert (await sent(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).endswith(b"hello")  # idle, then closed


async def test_a_client_that_takes_nothing_of_its_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(server, "STALLED_SECONDS", 0.3)
    given_up = asyncio.Event()
    async with listening(given_up) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(given_up.wait(), 20)


async def test_a_client_that_goes_in_the_middle_of_its_answer_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    given_up = asyncio.Event()
    async with listening(given_up) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readexactly(65_536)
        writer.transport.abort()
        await asyncio.wait_for(given_up.wait(), 20)
        assert (await sent(port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).endswith(b"hello")
    assert caplog.messages == []


async def test_a_connection_too_many_is_closed_without_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 1)
    async with listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readexactly(65_536)
        with contextlib.suppress(ConnectionError):
            assert await sent(port, b"") == b""
        writer.transport.abort()
    gc.collect()  # an error of a task that nobody asks is told then
    assert caplog.messages == []


async def test_an_answer_that_breaks_off_is_followed_by_no_other_one() -> None:
    async with listening() as port:
        assert (await sent(port, b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")).endswith(b"\r\n\r\n5\r\nbegun\r\n")


async def test_of_too_many_connections_the_one_that_waited_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 4)
    async with listening() as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        for reader, writer in held:
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"hello")
        held.append(await asyncio.open_connection("127.0.0.1", port))
        reader, writer = held[-1]
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"hello")
        assert await asyncio.wait_for(held[0][0].read(), 20) == b""
        for _, each in held:
            each.close()
