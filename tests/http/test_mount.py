"""The gateway as an application inside somebody's own aiohttp service."""

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pytest_aiohttp.plugin import AiohttpServer

from gateway.app import application
from gateway.config import Config, StorageSettings
from gateway.datadir import DataDir, DataDirError
from gateway.dialect.message import Response
from gateway.dialect.outcome import Refusal
from gateway.http.client_address import client_ip
from gateway.http.handler import RequestHead
from gateway.http.mount import HANDLER, add_routes
from gateway.storage.engines import open_store
from tests.kit.log_reading import stored_lines
from tests.kit.serving import PATIENCE, run


def with_key(data: Path) -> str:
    """Add a Tranthor key to a data directory and return it."""
    data.mkdir(exist_ok=True)
    added = run("keys", "add", "--data", str(data), "--dialect", "tranthor", "--json")
    return str(json.loads(added.stdout)["value"])


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_it_answers_below_its_prefix_and_keeps_what_it_acknowledged(
    aiohttp_server: AiohttpServer, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    headers = {"Authorization": f"Basic {with_key(data)}"}
    service = web.Application()
    service.add_subapp("/collect", application(Config(data=data)))
    server = await aiohttp_server(service)
    url = server.make_url("/collect/api/public/apps/track")
    event = {"messageId": "m-1", "userId": "u", "event": "e"}
    answers = []
    for body in (json.dumps(event).encode(), gzip.compress(json.dumps({**event, "messageId": "m-2"}).encode())):
        encoding = {"Content-Encoding": "gzip"} if body[:1] == b"\x1f" else {}
        async with session.post(url, data=body, headers={**headers, **encoding}) as answer:
            answers.append(answer.status)
    async with session.get(server.make_url("/collect/-/ready")) as answer:
        answers.append(answer.status)
    async with session.post(server.make_url("/collect/api/public/nowhere")) as answer:
        answers.append(answer.status)
    assert answers == [204, 204, 200, 404]
    with pytest.raises(DataDirError, match="another gateway runs on"):
        DataDir(data).lock()
    await server.close()
    DataDir(data).lock().release()
    assert [json.loads(line)["message_id"] for line in stored_lines(Path(data))] == ["m-1", "m-2"]


async def test_on_a_database_it_makes_no_directory(
    aiohttp_server: AiohttpServer, session: aiohttp.ClientSession, tmp_path: Path, database: str
) -> None:
    config = Config(data=tmp_path / "data", storage=StorageSettings(url=database))
    server = await aiohttp_server(application(config))
    added = await asyncio.to_thread(run, "keys", "add", "--storage", database, "--dialect", "tranthor", "--json")
    headers = {"Authorization": f"Basic {json.loads(added.stdout)['value']}"}
    url, event = server.make_url("/api/public/apps/track"), {"messageId": "m-1", "userId": "u", "event": "e"}
    async with asyncio.timeout(PATIENCE):
        status = 401
        while status == 401:
            async with session.post(url, json=event, headers=headers) as answer:
                status = answer.status
    assert status == 204
    await server.close()
    async with open_store(database).log() as reader:
        assert await reader.count() == 1
    assert not config.data.exists()


async def test_pages_and_probes_are_told_below_a_prefix_what_they_are_told_by_the_server(
    aiohttp_server: AiohttpServer, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    service = web.Application()
    service.add_subapp("/collect", application(Config(data=tmp_path / "data")))
    server = await aiohttp_server(service)
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, baggage",
    }
    told = {}
    for method, path in (
        ("OPTIONS", "/track"),
        ("OPTIONS", "/-/metrics"),
        ("GET", "/-/metrics"),
        ("GET", "/-/shim/browsee.js"),
        ("HEAD", "/px.jpg"),
        ("GET", "/px.jpg"),
    ):
        async with session.request(method, server.make_url(f"/collect{path}"), headers=asked) as answer:
            granted = answer.headers.get("Access-Control-Allow-Headers", "")
            names = ("Access-Control-Allow-Origin", "Cross-Origin-Resource-Policy", "Vary")
            told[method, path] = (answer.status, "baggage" in granted, *[answer.headers.get(name) for name in names])
    shop, both = "https://shop.example", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    assert told == {
        ("OPTIONS", "/track"): (204, True, shop, None, both),
        ("OPTIONS", "/-/metrics"): (204, False, None, None, None),
        ("GET", "/-/metrics"): (200, False, None, None, None),
        ("GET", "/-/shim/browsee.js"): (200, False, shop, "cross-origin", "Origin"),
        ("HEAD", "/px.jpg"): (200, False, shop, "cross-origin", "Origin"),
        ("GET", "/px.jpg"): (200, False, shop, "cross-origin", "Origin"),
    }


async def test_a_command_beside_the_service_reaches_its_log(aiohttp_server: AiohttpServer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with_key(data)
    await aiohttp_server(application(Config(data=data)))
    done = await asyncio.to_thread(run, "quarantine", "replay", "--all", "--data", str(data))
    assert (done.returncode, done.stderr) == (0, "")


class Echo:
    """A handler that answers with the body, or with why there is none."""

    def __init__(self) -> None:
        self.heads: list[RequestHead] = []

    def route(self, head: RequestHead) -> "Here":
        self.heads.append(head)
        return Here()

    def cors(self, _head: RequestHead) -> str:
        return ""


class Here:
    body_limit = 1000

    async def answer(self, body: bytes | Refusal) -> Response:
        return Response(400, body.reason.value.encode()) if isinstance(body, Refusal) else Response(200, body)


@pytest.fixture
async def mounted(aiohttp_server: AiohttpServer) -> tuple[Echo, TestServer]:
    app = web.Application()
    app[HANDLER] = echo = Echo()
    add_routes(app, lambda peer, _forwarded: peer)
    return echo, await aiohttp_server(app)


async def test_the_peer_of_a_unix_socket_is_believed_as_it_is_by_the_server(tmp_path: Path) -> None:
    app = web.Application()
    app[HANDLER] = echo = Echo()
    add_routes(app, client_ip(()))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(tmp_path / "http")).start()
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(tmp_path / "http"))) as session:
            for headers in ({"X-Forwarded-For": "203.0.113.9"}, {}):
                async with session.get("http://g/a", headers=headers) as answer:
                    assert answer.status == 200
    finally:
        await runner.cleanup()
    assert [head.client_ip for head in echo.heads] == ["203.0.113.9", None]


async def said(server: TestServer, sent: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(sent)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


HEAD = b"POST /a HTTP/1.1\r\nHost: g\r\n"
GET = b"GET /b HTTP/1.1\r\nHost: g\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Leak: 1\r\n\r\n", b"200"),
        (HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", b"200"),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"400"),
        (HEAD.replace(b"Host: g", b"Host: a/b") + b"\r\n", b"400"),
    ],
    ids=["chunks", "an upgrade", "another coding", "a malformed host"],
)
async def test_nothing_is_read_behind(mounted: tuple[Echo, TestServer], request_: bytes, status: bytes) -> None:
    echo, server = mounted
    answers = await said(server, request_ + GET)
    assert re.findall(rb"HTTP/1.1 ([0-9]+)", answers) == [status]
    assert "/b" not in [head.path for head in echo.heads]


async def test_a_length_behind_zeros_is_that_length(mounted: tuple[Echo, TestServer]) -> None:
    _echo, server = mounted
    length = b"Content-Length: " + b"0" * 5000 + b"3\r\nConnection: close\r\n\r\nabc"
    assert (await said(server, HEAD + length)).endswith(b"\r\n\r\nabc")


async def test_a_client_that_breaks_its_body_off_is_no_error(
    mounted: tuple[Echo, TestServer], caplog: pytest.LogCaptureFixture
) -> None:
    echo, server = mounted
    _reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(HEAD + b"Content-Length: 1000\r\n\r\nabc")
    async with asyncio.timeout(30):
        while not echo.heads:  # noqa: ASYNC110 - the server's hands
            await asyncio.sleep(0.01)
    writer.transport.abort()
    await asyncio.sleep(0.1)
    assert [record for record in caplog.records if record.exc_info] == []
