"""Bytes as they come: each conversation cut at every place, with the same answers, and nothing left for the next one.

A conversation is what one client sends, and the statuses that it gets. Nothing of one request may show in the next.
"""

import asyncio
import random
import re
import socket
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from gateway.dialect.message import Response
from gateway.dialect.outcome import Refusal
from gateway.http.bind import bind
from gateway.http.handler import RequestHead
from gateway.http.limits import Timeouts
from gateway.http.server import Server

PATIENCE = 30.0
LIMIT = 1000
HOST = b"Host: g\r\n"
GET = b"GET /a?b=1 HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
CHUNKED = b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


def post(*lines: bytes, body: bytes = b"abc") -> bytes:
    """A POST with header lines of its own beside Host."""
    return b"POST /a HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


ANSWERED = {
    "nothing": (b"", []),
    "a get": (GET, [200]),
    "two gets": (GET + GET, [200, 200]),
    "forty gets": (GET * 40, [200] * 40),
    "a get of http/1.0 without a host": (b"GET /a HTTP/1.0\r\n\r\n", [200]),
    "a get of http/1.0 that keeps the connection": (
        b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + GET,
        [200, 200],
    ),
    "a line end before the request": (b"\r\n" + GET, [200]),
    "line ends between requests": (GET + b"\r\n\r\n" + GET, [200, 200]),
    "a body": (POST, [200]),
    "a body and a get": (POST + GET, [200, 200]),
    "a body that looks like a request": (post(b"Content-Length: %d" % len(GET), body=GET) + GET, [200, 200]),
    "an empty body": (post(b"Content-Length: 0", body=b"") + GET, [200, 200]),
    "a chunked body": (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", [200]),
    "a chunk with an extension": (CHUNKED + b"3;a=b\r\nabc\r\n0\r\n\r\n", [200]),
    "an upper-case chunk size": (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", [200]),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nX-Leak: 1\r\nAuthorization: Bearer x\r\n\r\n", [200]),
    "trailers and a get, which is not read": (CHUNKED + b"3\r\nabc\r\n0\r\nX-Leak: 1\r\n\r\n" + GET, [200]),
    "an upgrade and a get, which is not read": (
        b"GET /a HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + GET,
        [200],
    ),
    "an upgrade to a websocket and a get, which is not read": (
        b"GET /a HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + GET,
        [200],
    ),
    "a tunnel and a get, which is not read": (b"CONNECT g:443 HTTP/1.1\r\n" + HOST + b"\r\n" + GET, [200]),
    "a request to close and a get, which is not read": (
        b"GET /a HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n" + GET,
        [200],
    ),
    "a length behind zeros": (post(b"Content-Length: " + b"0" * 5000 + b"3") + GET, [200, 200]),
    "line ends without number": (b"\r\n" * 200 + POST + b"\r\n" * 200 + GET, [200, 200]),
    "a body of line ends": (post(b"Content-Length: 6", body=b"\r\n\r\n\r\n") + GET, [200, 200]),
    "a body that waits for leave": (post(b"Expect: 100-continue", b"Content-Length: 3"), [200]),
    "the absolute form": (b"GET http://g/a?b=1 HTTP/1.1\r\n" + HOST + b"\r\n", [200]),
    "the absolute form with a host that is no name": (
        b"GET http://xn--a/a?b=1 HTTP/1.1\r\n" + HOST + b"\r\n" + GET,
        [200, 200],
    ),
    "a header twice": (b"GET /a HTTP/1.1\r\n" + HOST + b"X: 1\r\nx: 2\r\n\r\n", [200]),
    "an empty header": (b"GET /a HTTP/1.1\r\n" + HOST + b"X:\r\n\r\n", [200]),
    "bytes that are not utf-8": (b"GET /a HTTP/1.1\r\n" + HOST + b"X: \xff\xfe\r\n\r\n", [200]),
    "a body over the limit": (post(b"Content-Length: 1001", body=b"x" * 1001), [413]),
    "a chunked body over the limit": (CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", [413]),
    "a host with a port": (b"GET /a HTTP/1.1\r\nHost: g.example:8080\r\n\r\n", [200]),
    "a host of ipv6": (b"GET /a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", [200]),
}

REFUSED = {
    "a word": b"hello\r\n\r\n",
    "the start of tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "the preface of http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http/2.0 in the line": b"GET /a HTTP/2.0\r\n" + HOST + b"\r\n",
    "http/1.2 in the line": b"GET /a HTTP/1.2\r\n" + HOST + b"\r\n",
    "http/0.9 in the line": b"GET /a HTTP/0.9\r\n" + HOST + b"\r\n",
    "no version": b"GET /a\r\n\r\n",
    "no host": b"GET /a HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /a HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a host with a blank": b"GET /a HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a host with a slash": b"GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with an at sign": b"GET /a HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "a host that is not ascii": b"GET /a HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n",
    "a blank before a colon": b"GET /a HTTP/1.1\r\n" + HOST + b"X : 1\r\n\r\n",
    "a name with a blank": b"GET /a HTTP/1.1\r\n" + HOST + b"X Y: 1\r\n\r\n",
    "a folded header": b"GET /a HTTP/1.1\r\n" + HOST + b"X: 1\r\n 2\r\n\r\n",
    "a header without a colon": b"GET /a HTTP/1.1\r\n" + HOST + b"X\r\n\r\n",
    "a nul in a header": b"GET /a HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "line feeds alone": b"GET /a HTTP/1.1\nHost: g\n\n",
    "a line feed behind a header": b"GET /a HTTP/1.1\r\nHost: g\n\r\n",
    "a carriage return in a header": b"GET /a HTTP/1.1\r\nHost: g\rX: 1\r\n\r\n",
    "a target that is no path": b"GET a HTTP/1.1\r\n" + HOST + b"\r\n",
    "a control character in the target": b"GET /\x01 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an authority with a port that is none": b"GET http://g:99999/a HTTP/1.1\r\n" + HOST + b"\r\n",
    "257 headers": b"GET /a HTTP/1.1\r\n" + HOST + b"X: 1\r\n" * 256 + b"\r\n",
    "two lengths": post(b"Content-Length: 3", b"Content-Length: 4"),
    "the same length twice": post(b"Content-Length: 3", b"Content-Length: 3"),
    "a list of lengths": post(b"Content-Length: 3, 3"),
    "a negative length": post(b"Content-Length: -3"),
    "a length with a sign": post(b"Content-Length: +3"),
    "a length that is no number": post(b"Content-Length: three"),
    "a length in hex": post(b"Content-Length: 0x3"),
    "a length beyond 64 bits": post(b"Content-Length: 99999999999999999999"),
    "a length beside chunks": post(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "gzip before chunks": post(b"Transfer-Encoding: gzip, chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "chunks before gzip": post(b"Transfer-Encoding: chunked, gzip", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "an unknown transfer coding": post(b"Transfer-Encoding: x", body=b"0\r\n\r\n"),
    "an empty transfer coding": post(b"Transfer-Encoding:", body=b"0\r\n\r\n"),
    "a comma before the coding": post(b"Transfer-Encoding: ,chunked", body=b"0\r\n\r\n"),
    "an empty length": post(b"Content-Length:"),
    "a vertical tab in the coding": post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
}

BROKEN = {
    "a chunk size that is no number": CHUNKED + b"z\r\nabc\r\n0\r\n\r\n",
    "a chunk size with a sign": CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    "a chunk size in c": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "a blank behind a chunk size": CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
    "a line feed behind a chunk size": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "a line feed in an extension": CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "a nul in an extension": CHUNKED + b"3;\x00\r\nabc\r\n0\r\n\r\n",
    "a length among the trailers": CHUNKED + b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n",
    "a host twice among the trailers": CHUNKED + b"3\r\nabc\r\n0\r\nHost: a\r\nHost: b\r\n\r\n",
    "a blank in a trailer's name": CHUNKED + b"3\r\nabc\r\n0\r\nX Y: 1\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
}


class Echo:
    """A handler that says what reached it, so that a leak shows."""

    def __init__(self) -> None:
        self.heads: list[RequestHead] = []

    def route(self, head: RequestHead) -> "Here":
        self.heads.append(head)
        return Here()

    def cors(self, _head: RequestHead) -> str:
        return ""


class Here:
    body_limit = LIMIT

    async def answer(self, body: bytes | Refusal) -> Response:
        if isinstance(body, Refusal):
            return Response({"too_large": 413}.get(body.reason.value, 400), body.reason.value.encode())
        return Response(200, body)


@pytest.fixture
async def running() -> AsyncIterator[tuple[Echo, int]]:
    echo = Echo()
    server = Server(echo, lambda peer, _forwarded: peer, Timeouts(body=3.0, idle=3.0))
    url = await server.start(bind("127.0.0.1", 0))
    yield echo, int(url.rpartition(":")[2])
    await server.stop()


async def said(port: int, *parts: bytes) -> bytes:
    """Send the parts, each read for itself, and return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        for part in parts:
            if part:
                writer.write(part)
                await asyncio.sleep(0.002)
        if writer.can_write_eof():
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), PATIENCE)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def cut_everywhere(port: int, sent: bytes) -> set[bytes]:
    """Send the bytes whole and cut in two at every place (every so many, where they are long); return all answers."""
    step = max(1, len(sent) // 80)
    cuts = range(0, max(1, len(sent)), step)
    answers: list[bytes] = []
    for start in range(0, len(cuts), 40):
        some = [said(port, sent[:cut], sent[cut:]) for cut in cuts[start : start + 40]]
        answers += await asyncio.gather(*some)
    return {re.sub(rb"Date: [^\r]*\r\n", b"", answer) for answer in answers}


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]+) (?!Continue)", answers)]


def heads(echo: Echo) -> set[tuple[Any, ...]]:
    return {(head.method, head.path, head.query, tuple(sorted(head.headers.items()))) for head in echo.heads}


@pytest.mark.parametrize("name", ANSWERED)
async def test_a_conversation_is_answered_the_same_wherever_it_is_cut(running: tuple[Echo, int], name: str) -> None:
    echo, port = running
    sent, expected = ANSWERED[name]
    answers = await cut_everywhere(port, sent)
    assert {tuple(statuses(answer)) for answer in answers} == {tuple(expected)}
    assert not [head for head in heads(echo) if "x-leak" in dict(head[3])]


@pytest.mark.parametrize("name", REFUSED)
async def test_what_breaks_a_rule_of_http_is_refused_wherever_it_is_cut(running: tuple[Echo, int], name: str) -> None:
    echo, port = running
    answers = await cut_everywhere(port, REFUSED[name])
    assert {tuple(statuses(answer)) for answer in answers} == {(400,)}
    assert {answer.partition(b"\r\n\r\n")[2] for answer in answers} == {
        b"bad request: this is not HTTP that the gateway reads\n"
    }
    assert heads(echo) == set()


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_body_is_the_requests_own_fault(running: tuple[Echo, int], name: str) -> None:
    _echo, port = running
    assert {tuple(statuses(answer)) for answer in await cut_everywhere(port, BROKEN[name])} == {(400,)}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_comes_behind_the_answers_that_are_due(running: tuple[Echo, int], name: str) -> None:
    _echo, port = running
    answers = await cut_everywhere(port, POST + GET + REFUSED[name])
    assert {tuple(statuses(answer)) for answer in answers} == {(200, 200, 400)}


async def test_a_trailer_is_no_header_of_the_next_request_of_any_connection(running: tuple[Echo, int]) -> None:
    echo, port = running
    trailers = CHUNKED + b"3\r\nabc\r\n0\r\nX-Leak: 1\r\nAuthorization: Bearer x\r\n\r\n"
    for following in (GET, POST, trailers):
        await said(port, trailers + following)
        await said(port, trailers, following)
        await said(port, following)
    assert {name for head in echo.heads for name in head.headers} == {"host", "content-length", "transfer-encoding"}


async def test_random_conversations_in_random_pieces_leave_nothing_of_one_request_in_the_next(
    running: tuple[Echo, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request has a word of its own, in its path, a header, its body and its trailers."""
    echo, port = running
    monkeypatch.setattr("gateway.http.pacing.MAX_SLICE", 7)
    chance = random.Random(7)
    for _ in range(300):
        words = [f"w{number}".encode() for number in range(chance.randrange(1, 6))]
        kinds = [chance.choice([*KINDS[:3], *KINDS]) for _ in words]
        sent = b"".join(kind(word) for kind, word in zip(kinds, words, strict=True))
        ends = [number for number, kind in enumerate(kinds) if kind in LAST]
        answered = words[: ends[0] + 1] if ends else words
        cuts = sorted(chance.randrange(len(sent)) for _ in range(chance.randrange(6)))
        echo.heads.clear()
        answers = await said(port, *(sent[a:b] for a, b in pairwise([0, *cuts, len(sent)])))
        assert statuses(answers) == [200] * len(answered)
        assert [head.path.encode() for head in echo.heads] == [b"/" + word for word in answered]
        assert [head.headers["x-word"].encode() for head in echo.heads] == answered
        assert re.findall(rb"=(w[0-9])=", answers) == [
            word for word, kind in zip(answered, kinds, strict=False) if kind is not with_head_alone
        ]


def with_length(word: bytes) -> bytes:
    body = b"=" + word + b"=\r\n\r\n"
    head = b"POST /" + word + b" HTTP/1.1\r\n" + HOST + b"X-Word: " + word + b"\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def with_leave(word: bytes) -> bytes:
    return with_length(word).replace(b"Content-Length", b"Expect: 100-continue\r\nContent-Length")


def with_head_alone(word: bytes) -> bytes:
    return b"\r\nGET /" + word + b" HTTP/1.1\r\nX-Word: " + word + b"\r\n" + HOST + b"\r\n"


def with_chunks(word: bytes) -> bytes:
    head = b"POST /" + word + b" HTTP/1.1\r\n" + HOST + b"X-Word: " + word + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"1;" + word + b"\r\n=\r\n2\r\n" + word + b"\r\n1\r\n=\r\n0\r\nX-Word: " + word + b"\r\n\r\n"


def with_a_close(word: bytes) -> bytes:
    return with_length(word).replace(b"Content-Length", b"Connection: close\r\nContent-Length")


KINDS = (with_length, with_leave, with_head_alone, with_chunks, with_a_close)
LAST = (with_chunks, with_a_close)
