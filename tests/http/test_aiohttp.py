"""What the installed aiohttp does wrong, held down so that a release without it is noticed."""

import asyncio

from aiohttp import web

TRAILER = (
    b"POST / HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Leak: 1\r\n\r\n"
    b"GET / HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"
)


async def test_it_still_carries_a_trailer_into_the_next_request() -> None:
    """When this fails: require that release in setup.cfg, and keep connections behind chunked bodies in server.py."""
    seen: list[list[str]] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        await request.read()
        seen.append([name.lower() for name in request.headers])
        return web.Response()

    server = await asyncio.get_running_loop().create_server(web.Server(answer), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    writer.write(TRAILER)
    await asyncio.wait_for(reader.read(), 5)
    writer.close()
    server.close()
    assert seen == [["host", "transfer-encoding"], ["x-leak", "host", "connection"]]
