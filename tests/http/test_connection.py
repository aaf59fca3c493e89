"""HTTP/1.1 as clients of every kind speak it, over real sockets: order, ends, refusals, what is no HTTP."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import attrs
import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.http.bind import bind
from gateway.http.handler import Destination, RequestHead
from gateway.http.limits import Timeouts
from gateway.http.server import Server
from gateway.storage.contract import Appended, Entry
from gateway.testing.memory import MemoryStorage
from tests.kit.toy_app import toy_handler

PING = b'{"what":"hello"}'
HEAD = b"POST /toy-api/v0/ping HTTP/1.1\r\nHost: g\r\nx-toy-key: toy_1\r\n"
POST = HEAD + b"Content-Length: 16\r\n\r\n" + PING
HEALTHY = b"GET /-/healthy HTTP/1.1\r\nHost: g\r\n\r\n"
PATIENCE = 30.0
BODY_TIMEOUT = 0.5


class SlowStorage(MemoryStorage):
    """Keeps nothing while it is not `free`."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.free.set()
        self.asked = 0

    async def append(self, entry: Entry) -> Appended:
        self.asked += 1
        await self.wait()
        return await super().append(entry)

    async def wait(self) -> None:
        """Wait as an engine does: for a future, without a task of its own."""
        while not self.free.is_set():
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.01, future.set_result, None)
            await future


@attrs.frozen
class Running:
    server: Server
    storage: SlowStorage
    port: int
    forwarded: list[str | None]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def said(self, sent: bytes, *, ends: bool = True) -> bytes:
        """Send bytes and return all that comes back until the server closes."""
        async with self.client() as (reader, writer):
            writer.write(sent)
            if ends:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), PATIENCE)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - what is waited for is in somebody else's hands
            await asyncio.sleep(0.01)


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 ([0-9]+)", answers)]


@pytest.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    storage = SlowStorage()
    built = toy_handler(monkeypatch, storage)
    heard: list[str | None] = []

    def client_ip(peer: str | None, headers: Mapping[str, str]) -> str | None:
        heard.append(headers.get("x-forwarded-for"))
        return peer

    server = Server(built, client_ip, Timeouts(body=BODY_TIMEOUT, idle=1.0))
    url = await server.start(bind("127.0.0.1", 0))
    yield Running(server, storage, int(url.rpartition(":")[2]), heard)
    storage.free.set()
    await server.stop()


async def test_a_client_that_stops_talking_gets_every_answer_before_the_end(running: Running) -> None:
    assert statuses(await running.said(POST + HEALTHY + POST)) == [201, 200, 201]


async def test_requests_sent_ahead_are_answered_in_their_order_however_many_there_are(running: Running) -> None:
    answers = await running.said((POST + HEALTHY) * 3000)
    assert statuses(answers) == [201, 200] * 3000
    assert len(running.storage.bodies) == 3000


async def test_requests_cut_anywhere_are_read_the_same(running: Running) -> None:
    async with running.client() as (reader, writer):
        for byte in POST + HEALTHY:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        assert statuses(await asyncio.wait_for(reader.read(), PATIENCE)) == [201, 200]


async def test_a_second_request_waits_for_the_firsts_commit(running: Running) -> None:
    running.storage.free.clear()
    async with running.client() as (reader, writer):
        writer.write(POST)
        await asyncio.sleep(0.05)
        writer.write(HEALTHY)
        await asyncio.sleep(0.05)
        running.storage.free.set()
        answers = await asyncio.wait_for(reader.readuntil(b"healthy\n"), PATIENCE)
    assert statuses(answers) == [201, 200]


async def test_a_client_that_goes_away_before_its_answer_has_its_event_kept(running: Running) -> None:
    running.storage.free.clear()
    async with running.client() as (_reader, writer):
        writer.write(POST)
        await until(lambda: running.storage.asked == 1)
        writer.transport.abort()
    await asyncio.sleep(0.05)
    running.storage.free.set()
    await until(lambda: len(running.storage.bodies) > 0)
    assert len(running.storage.bodies) == 1


async def test_a_stop_waits_for_the_answer_and_then_closes(running: Running) -> None:
    running.storage.free.clear()
    async with running.client() as (reader, writer):
        writer.write(POST)
        await until(lambda: running.storage.asked == 1)
        stop = asyncio.create_task(running.server.stop())
        await asyncio.sleep(0.05)
        running.storage.free.set()
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        await stop
    assert (statuses(answer), b"\r\nConnection: close\r\n" in answer) == ([201], True)


async def test_a_request_that_was_sent_before_the_stop_is_answered(running: Running) -> None:
    async with running.client() as (reader, writer):
        await until(lambda: len(running.server.connections()) == 1)
        writer.write(POST + POST)
        with socket.create_connection(("127.0.0.1", running.port)) as newcomer:
            newcomer.sendall(POST)
            await running.server.stop()
            assert statuses(newcomer.recv(1000)) == [201]
        answers = await asyncio.wait_for(reader.read(), PATIENCE)
    assert (statuses(answers), b"\r\nConnection: close\r\n" in answers) == ([201], True)
    assert len(running.storage.bodies) == 2


async def test_a_stop_waits_for_no_client_that_has_asked_nothing(running: Running) -> None:
    started = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", running.port)) as accepted,
        socket.create_connection(("127.0.0.1", running.port)) as half,
    ):
        half.sendall(POST[:20])
        await until(lambda: len(running.server.connections()) == 2)
        with socket.create_connection(("127.0.0.1", running.port)) as newcomer:
            await running.server.stop()
            assert (accepted.recv(10), half.recv(10), newcomer.recv(10)) == (b"", b"", b"")
    assert time.monotonic() - started < BODY_TIMEOUT


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
async def test_an_upgrade_that_is_asked_for_is_left_alone_and_nothing_behind_it_is_read(
    running: Running, upgrade: bytes
) -> None:
    asked = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ\r\nUpgrade: " + upgrade + b"\r\n"
    request = HEAD + asked + b"Content-Length: 16\r\n\r\n" + PING
    answers = await running.said(request + request + HEALTHY)
    assert (statuses(answers), b"\r\nConnection: close\r\n" in answers) == ([201], True)


async def test_a_tunnel_is_a_method_that_nothing_here_has(running: Running) -> None:
    tunnel = b"CONNECT /toy-api/v0/ping HTTP/1.1\r\nHost: g\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert statuses(await running.said(tunnel + HEALTHY)) == [422]


async def test_a_target_that_names_the_host_too_is_the_path_behind_it(running: Running) -> None:
    absolute = POST.replace(b"POST /", b"POST http://g:80/")
    assert statuses(await running.said(absolute)) == [201]


async def test_a_chunked_body_with_trailers_is_one_body_and_nothing_behind_it_is_read(running: Running) -> None:
    chunks = b"5\r\n" + PING[:5] + b"\r\nb;name=value\r\n" + PING[5:] + b"\r\n0\r\nx-toy-key: other\r\n\r\n"
    answers = await running.said(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + HEALTHY + POST)
    assert (statuses(answers), len(running.storage.bodies)) == ([201], 1)
    assert b"\r\nConnection: close\r\n" in answers


async def test_a_broken_chunk_is_refused_in_the_dialects_voice(running: Running) -> None:
    answers = await running.said(HEAD + b"Transfer-Encoding: chunked\r\n\r\nno number\r\n" + PING + HEALTHY)
    assert (statuses(answers), b'{"refused": "body"}' in answers) == ([422], True)


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        HEAD + b"Content-Length: 16\r\nContent-Length: 17\r\n\r\n" + PING,
        HEAD + b"Content-Length: 16\r\nTransfer-Encoding: chunked\r\n\r\n" + PING,
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"X Y: 1\r\n\r\n",
        HEAD + b"X" + b"y" * 200_000 + b": 1\r\n\r\n",
        HEAD + b"".join(b"X-%d: 1\r\n" % number for number in range(20_000)) + b"\r\n",
    ],
)
async def test_what_is_not_http_that_we_read_is_told_so_and_let_go(running: Running, request_: bytes) -> None:
    answers = await running.said(request_ + POST)
    assert statuses(answers) == [400]
    assert answers.endswith(b"bad request: this is not HTTP that the gateway reads\n")
    assert running.storage.bodies == []


async def test_what_is_not_http_comes_after_the_answers_that_are_due(running: Running) -> None:
    running.storage.free.clear()
    asyncio.get_running_loop().call_later(0.1, running.storage.free.set)
    assert statuses(await running.said(POST + b"hello\r\n\r\n", ends=False)) == [201, 400]


async def test_a_head_without_an_end_comes_after_the_answers_that_are_due(running: Running) -> None:
    running.storage.free.clear()
    asyncio.get_running_loop().call_later(0.1, running.storage.free.set)
    assert statuses(await running.said(POST + HEAD + b"X: " + b"y" * 200_000, ends=False)) == [201, 400]


async def test_a_client_that_asks_for_the_end_and_sends_on_gets_its_answer(running: Running) -> None:
    async with running.client() as (reader, writer):
        writer.write(POST.replace(b"Host: g", b"Host: g\r\nConnection: close") + HEALTHY)
        await until(lambda: len(running.storage.bodies) > 0)
        await asyncio.sleep(0.05)
        writer.write(HEALTHY)
        await asyncio.sleep(0.05)
        assert statuses(await asyncio.wait_for(reader.read(), PATIENCE)) == [201]


async def test_leave_for_a_body_is_given_only_where_one_is_wanted(running: Running) -> None:
    """Whoever gets no leave sends no body: the answer must not wait for one."""
    asks = b"Content-Length: 16\r\nExpect: 100-continue\r\n\r\n"
    nowhere = b"POST /toy-api/elsewhere HTTP/1.1\r\nHost: g\r\n" + asks
    started = time.monotonic()
    assert statuses(await running.said(nowhere, ends=False)) == [422]
    assert statuses(await running.said(nowhere.replace(b"Content-Length: 16", b"Transfer-Encoding: chunked"))) == [422]
    assert statuses(await running.said(HEAD + asks.replace(b"16", b"100000"), ends=False)) == [422]
    assert time.monotonic() - started < BODY_TIMEOUT
    assert statuses(await running.said(HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + asks + PING)) == [201]
    assert statuses(await running.said(HEAD + asks + PING)) == [201]


async def test_a_client_that_resets_a_refused_upload_is_no_error(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        async with running.client() as (_reader, writer):
            writer.write(HEAD + b"Content-Length: 8000000\r\n\r\n" + b"x" * 200_000)
            await asyncio.sleep(0)
    await until(lambda: not running.server.connections())
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_bug_behind_the_seam_is_a_500_and_one_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def route(self, _head: RequestHead) -> Destination:
            raise RuntimeError("a bug")

        def cors(self, _head: RequestHead) -> str:
            return ""

    server = Server(Broken(), lambda peer, _forwarded: peer)
    url = await server.start(bind("127.0.0.1", 0))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(HEALTHY)
    writer.write_eof()
    assert statuses(await asyncio.wait_for(reader.read(), PATIENCE)) == [500]
    writer.close()
    await server.stop()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == ["a bug answered 500"]


async def test_a_refused_body_that_still_comes_does_not_cost_the_client_its_answer(running: Running) -> None:
    async with running.client() as (reader, writer):
        writer.write(HEAD + b"Content-Length: 8000000\r\n\r\n")
        for _ in range(80):
            writer.write(b"x" * 100_000)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
    assert (statuses(answer), b"too_large" in answer, b"\r\nConnection: close\r\n" in answer) == ([422], True, True)


async def test_a_body_that_nobody_asked_for_is_read_over(running: Running) -> None:
    unknown = b"POST /toy-api/elsewhere HTTP/1.1\r\nHost: g\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000
    assert statuses(await running.said(unknown + POST)) == [422, 201]
    large = unknown.replace(b"20000", b"2000000")
    assert statuses(await running.said(large, ends=False)) == [422]


async def test_headers_that_stand_there_twice_are_one_list(running: Running) -> None:
    twice = HEAD + b"X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 198.51.100.1\r\n"
    assert statuses(await running.said(twice + b"Content-Length: 16\r\n\r\n" + PING)) == [201]
    assert running.forwarded == ["203.0.113.9, 198.51.100.1"]


async def test_a_client_that_asks_nothing_is_let_go_after_the_idle_timeout(running: Running) -> None:
    assert await running.said(b"", ends=False) == b""
    assert statuses(await running.said(HEALTHY, ends=False)) == [200]


async def test_a_connection_that_the_client_wants_closed_is_closed(running: Running) -> None:
    answers = await running.said(POST.replace(b"Host: g", b"Host: g\r\nConnection: close") + HEALTHY, ends=False)
    assert (statuses(answers), b"\r\nConnection: close\r\n" in answers) == ([201], True)


async def test_a_store_that_cannot_keep_an_event_is_told_and_the_connection_stays(running: Running) -> None:
    running.storage.failure = StorageUnavailable("the disk is full")
    answers = await running.said(POST + HEALTHY)
    assert (statuses(answers)[1:], b"\r\nRetry-After: 1\r\n" in answers) == ([200], True)
