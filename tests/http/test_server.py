"""The front rules, over real sockets: caps, inflating, slow bodies, CORS, paths, the gateway's own endpoints."""

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator
from functools import partial
from gzip import compress

import aiohttp
import attrs
import pytest
from yarl import URL

from gateway.http.bind import bind
from gateway.http.limits import Timeouts
from gateway.http.server import Server
from gateway.testing.memory import MemoryStorage
from tests.kit.toy_app import CAP, toy_handler

PING = b'{"what":"hello"}'
KEY = {"x-toy-key": "toy_1"}
zipped = partial(compress, mtime=0)  # the same bytes, and so the same names of tests, in every process


@attrs.frozen
class Running:
    host: str
    port: int
    storage: MemoryStorage
    session: aiohttp.ClientSession

    def url(self, path: str) -> URL:
        return URL(f"http://{self.host}:{self.port}{path}", encoded=True)

    async def post(self, body: bytes, path: str = "/toy-api/v0/ping", **headers: str) -> tuple[int, object]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(self.url(path), data=body, headers={**KEY, **named}) as answer:
            return answer.status, await answer.json(content_type=None)


@pytest.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    storage = MemoryStorage()
    built = toy_handler(monkeypatch, storage)
    server = Server(built, client_ip=lambda peer, _headers: peer, timeouts=Timeouts(body=0.5))
    url = URL(await server.start(bind("127.0.0.1", 0)))
    async with aiohttp.ClientSession() as session:
        yield Running(str(url.host), int(url.port or 0), storage, session)
    await server.stop()


async def talk(running: Running, sent: bytes, wait_for: bytes = b"\r\n\r\n") -> bytes:
    """Send raw bytes and return what came back up to a mark, within five seconds."""
    reader, writer = await asyncio.open_connection(running.host, running.port)
    writer.write(sent)
    answer = await asyncio.wait_for(reader.readuntil(wait_for), 5)
    writer.close()
    return answer


async def test_a_body_at_the_cap_is_taken_and_one_byte_more_is_refused(running: Running) -> None:
    body = b'{"what":"' + b"x" * (CAP - 11) + b'"}'
    assert len(body) == CAP
    assert await running.post(body) == (201, {"id": "id"})
    assert await running.post(body + b" ") == (422, {"refused": "too_large"})
    assert len(running.storage.bodies) == 1


async def test_a_declared_length_over_the_cap_is_refused_before_any_of_the_body_is_sent(running: Running) -> None:
    head = b"POST /toy-api/v0/ping HTTP/1.1\r\nHost: g\r\nContent-Length: 100000\r\n\r\n"
    assert (await talk(running, head)).startswith(b"HTTP/1.1 422 ")


async def test_a_chunked_body_that_never_ends_is_refused_at_the_cap(running: Running) -> None:
    head = b"POST /toy-api/v0/ping HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    assert b"too_large" in await talk(running, head + chunk * 5, b"}")


async def test_a_body_that_stops_coming_is_refused_and_others_are_served_meanwhile(running: Running) -> None:
    head = b'POST /toy-api/v0/ping HTTP/1.1\r\nHost: g\r\nContent-Length: 16\r\n\r\n{"wh'
    slow = asyncio.create_task(talk(running, head, b"}"))
    assert await running.post(PING) == (201, {"id": "id"})
    assert b"body_timeout" in await slow


async def test_a_client_that_expects_100_continue_is_told_to_go_on(running: Running) -> None:
    head = b"POST /toy-api/v0/ping HTTP/1.1\r\nHost: g\r\nContent-Length: 16\r\nExpect: 100-continue\r\n\r\n"
    assert await talk(running, head) == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", zipped(PING)),
        ("x-gzip", zipped(PING)),
        ("deflate", zlib.compress(PING)),
        ("deflate", zlib.compress(PING)[2:-4]),
        ("identity", PING),
        ("deflate, gzip", zipped(zlib.compress(PING))),
    ],
)
async def test_a_compressed_body_is_inflated(running: Running, encoding: str, body: bytes) -> None:
    assert await running.post(body, content_encoding=encoding) == (201, {"id": "id"})
    assert [json.loads(line)["name"] for line in running.storage.bodies] == ["hello"]


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("gzip", zipped(b" " * 10_000_000), "too_large"),
        ("deflate", zlib.compress(b" " * 10_000_000), "too_large"),
        ("gzip", b"not gzip at all", "body"),
        ("gzip", zipped(PING)[:-9], "body"),
        ("br", PING, "unsupported_encoding"),
    ],
)
async def test_a_body_that_does_not_inflate_within_the_cap_is_refused(
    running: Running, encoding: str, body: bytes, reason: str
) -> None:
    assert await running.post(body, content_encoding=encoding) == (422, {"refused": reason})
    assert running.storage.bodies == []


@pytest.mark.parametrize(
    "path", ["/toy-api/v0/ping/", "//toy-api//v0/ping", "/toy/toy-api/v0/ping", "/toy-api/v0/%70ing"]
)
async def test_slashes_mounts_and_escapes_lead_to_the_same_route(running: Running, path: str) -> None:
    assert await running.post(PING, path) == (201, {"id": "id"})


async def test_unknown_paths_and_methods_are_answered_in_their_owners_voice(running: Running) -> None:
    assert await running.post(PING, "/toy-api/elsewhere") == (422, {"refused": "not_found"})
    async with running.session.get(running.url("/toy-api/v0/ping")) as answer:
        assert (answer.status, await answer.json(content_type=None)) == (422, {"refused": "method_not_allowed"})


async def test_a_preflight_names_the_headers_of_every_dialect(running: Running) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    async with running.session.options(running.url("/toy-api/v0/ping"), headers=asked) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
        told = {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}
    assert told == {
        "Access-Control-Allow-Origin": "https://shop.example",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "authorization, content-type, idempotency-key, x-toy-key",
        "Access-Control-Expose-Headers": "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
        "Idempotency-Replayed, X-Gateway-Receipt",
        "Access-Control-Max-Age": "86400",
    }


async def test_errors_carry_the_cors_headers_too(running: Running) -> None:
    async with running.session.post(running.url("/toy-api/v0/ping"), headers={"Origin": "https://a.example"}) as answer:
        assert answer.status == 422
        assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert (answer.headers["Access-Control-Allow-Credentials"], answer.headers["Vary"]) == ("true", "Origin")


async def test_the_gateways_own_endpoints_answer_a_person_and_a_probe(running: Running) -> None:
    await running.post(PING)
    await running.post(b"{}")
    said = {}
    for path in ("/-/healthy", "/-/ready", "/-/nothing"):
        async with running.session.get(running.url(path)) as answer:
            said[path] = (answer.status, (await answer.text()).split()[0])
    assert said == {"/-/healthy": (200, "healthy"), "/-/ready": (200, "ready"), "/-/nothing": (404, "not")}
    async with running.session.get(running.url("/-/metrics")) as answer:
        lines = (await answer.text()).splitlines()
    counted = [line for line in lines if line.startswith(("gateway_items_total", "gateway_requests_total"))]
    assert {line for line in counted if not line.endswith(" 0.0")} == {
        'gateway_items_total{dialect="toy",verdict="stored"} 1.0',
        'gateway_items_total{dialect="toy",verdict="rejected"} 1.0',
        'gateway_requests_total{dialect="toy",result="accepted"} 1.0',
        'gateway_requests_total{dialect="toy",result="invalid"} 1.0',
    }


async def test_a_head_request_is_answered_without_the_body(running: Running) -> None:
    answer = await talk(running, b"HEAD /-/healthy HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n")
    assert (b"\r\nContent-Length: 8\r\n" in answer, b"\r\nConnection: close\r\n" in answer) == (True, True)


async def test_http_1_0_is_kept_alive_only_when_asked(running: Running) -> None:
    request = b"GET /-/healthy HTTP/1.0\r\nHost: g\r\n"
    assert b"\r\nConnection: close\r\n" in await talk(running, request + b"\r\n")
    assert b"\r\nConnection: keep-alive\r\n" in await talk(running, request + b"Connection: keep-alive\r\n\r\n")


async def test_answers_on_one_connection_come_in_the_requests_order(running: Running) -> None:
    request = b"POST /toy-api/v0/ping HTTP/1.1\r\nHost: g\r\nx-toy-key: toy_1\r\nContent-Length: 16\r\n\r\n" + PING
    answers = await talk(running, request + b"GET /-/healthy HTTP/1.1\r\nHost: g\r\n\r\n", b"healthy\n")
    assert re.findall(rb"HTTP/1.1 ([0-9]+)", answers) == [b"201", b"200"]
