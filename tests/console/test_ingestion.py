"""What the console learns from the gateway that serves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
from pytest_aiohttp import AiohttpServer

from gateway.app import application
from gateway.config import Config
from gateway.console.ingestion import Ingestion, ask

PATIENCE = 60.0
NOT_RUNNING = Ingestion(state="not running")


async def test_a_gateway_that_runs_tells_of_its_queue(aiohttp_server: AiohttpServer, tmp_path: Path) -> None:
    config = Config()
    config = attrs.evolve(config, storage=attrs.evolve(config.storage, url=f"sqlite:{tmp_path / 'data'}"))
    server = await aiohttp_server(application(config))
    assert await ask(str(server.make_url("")).rstrip("/"), PATIENCE) == Ingestion(
        state="ready", queue_bytes=0, queue_limit_bytes=config.storage.queue_bytes
    )


@asynccontextmanager
async def answering(*parts: bytes, endless: bytes = b"", unix: Path | None = None) -> AsyncIterator[str]:
    """The URL of a server that answers every request with these bytes, and then with the last ones for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"".join(parts))
                while endless:
                    writer.write(endless)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    if unix is not None:
        async with await asyncio.start_unix_server(answer, unix):
            yield f"unix:{unix}"
        return
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def whole(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_a_gateway_that_cannot_store_is_not_ready() -> None:
    async with answering(
        whole("503 Service Unavailable", b"gateway_queue_bytes 12.0\ngateway_queue_bytes_x 1\n")
    ) as url:
        assert await ask(url, PATIENCE) == Ingestion(state="not ready", queue_bytes=12)


async def test_a_gateway_on_a_unix_socket_alone_is_asked_there(tmp_path: Path) -> None:
    async with answering(whole("200 OK", b"gateway_queue_bytes 12.0\n"), unix=tmp_path / "g.sock") as url:
        assert await ask(url, PATIENCE) == Ingestion(state="ready", queue_bytes=12)
    assert await ask(f"unix:{tmp_path / 'nowhere'}") == NOT_RUNNING


async def test_who_does_not_answer_or_answers_nonsense_does_not_run() -> None:
    async with answering() as silent, answering(b"hello\r\n\r\n") as nonsense:
        assert [await ask(silent), await ask(nonsense)] == [NOT_RUNNING, NOT_RUNNING]
    assert [await ask(silent), await ask("http://256.0.0.1:1"), await ask("no url")] == [NOT_RUNNING] * 3


async def test_nonsense_in_the_metrics_is_left_out_and_they_are_read_up_to_a_size() -> None:
    nonsense = b"gateway_queue_bytes nan\ngateway_queue_limit_bytes inf\ngateway_queue_bytes x\n\xff\n"
    async with answering(whole("200 OK", nonsense)) as url:
        assert await ask(url, PATIENCE) == Ingestion(state="ready")
    ready = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    async with answering(ready, endless=b"x" * 65_536) as url:
        assert await ask(url, PATIENCE) == Ingestion(state="ready")
