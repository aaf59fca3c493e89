"""Bodies as they come in pieces: what they take in memory, and what ends them."""

import asyncio
import tracemalloc

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol

from gateway.dialect.outcome import Reason, Refusal
from gateway.http.body import read_body, skip_body
from gateway.http.limits import Budget

PIECES = 20_000


@pytest.fixture
async def payload() -> StreamReader:
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.transport = asyncio.Transport()
    return StreamReader(protocol, 2**18, loop=loop)


async def test_a_body_of_two_byte_pieces_takes_little_more_than_its_bytes(payload: StreamReader) -> None:
    tracemalloc.start()
    reading = asyncio.create_task(read_body(payload, None, 2 * PIECES, 30.0, Budget()))
    await asyncio.sleep(0)
    for _ in range(PIECES):
        payload.feed_data(b"ab")
        await asyncio.sleep(0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    payload.feed_eof()
    assert await reading == b"ab" * PIECES
    assert peak < 4 * PIECES


async def test_pieces_of_every_size_are_put_together_in_their_order(payload: StreamReader) -> None:
    budget = Budget()
    reading = asyncio.create_task(read_body(payload, None, 10**6, 5.0, budget))
    pieces = [bytes([size % 251]) * size for size in (1, 4095, 1, 4096, 3, 70_000, 2, 5000, 1)]
    for piece in pieces:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        payload.feed_data(piece)
    payload.feed_eof()
    assert await reading == b"".join(pieces)
    assert budget.held == 0


@pytest.mark.parametrize("read", [read_body, skip_body])
async def test_an_error_that_comes_with_the_end_of_a_chunk_ends_the_body_at_once(
    payload: StreamReader, read: object
) -> None:
    waits = read_body(payload, None, 10, 30.0, Budget()) if read is read_body else skip_body(payload, 30.0)
    reading = asyncio.create_task(waits)
    payload.begin_http_chunk_receiving()
    payload.feed_data(b"abc")
    await asyncio.sleep(0.01)
    payload.end_http_chunk_receiving()
    payload.set_exception(web.RequestPayloadError("broken"))
    ended = await asyncio.wait_for(reading, 1)
    assert (ended.reason if isinstance(ended, Refusal) else ended) in (Reason.BODY, False)
