"""Who is let in: so many connections of an address, and whose make room when descriptors run out."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_network

import attrs
import pytest
import uvloop

from gateway.dialect.message import Response
from gateway.dialect.outcome import Reason, Refusal
from gateway.http.bind import bind
from gateway.http.client_address import client_ip
from gateway.http.connection_limits import DESCRIPTORS, PER_ADDRESS, ConnectionLimits, peer_of
from gateway.http.handler import RequestHead
from gateway.http.server import Server

GET = b"GET / HTTP/1.1\r\nHost: g\r\n\r\n"
PATIENCE = 30.0


class Slow:
    """Answers `/slow` when it is told to, and everything else at once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    def route(self, head: RequestHead) -> "Place":
        return Place(self.go if head.path == "/slow" else None)

    def cors(self, _head: RequestHead) -> str:
        return ""


@attrs.frozen
class Place:
    go: asyncio.Event | None
    body_limit: int = 1000

    async def answer(self, body: bytes | Refusal) -> Response:
        if isinstance(body, Refusal):
            return Response(503 if body.reason is Reason.UNAVAILABLE else 400)
        if self.go is not None:
            await self.go.wait()
        return Response(200)


@attrs.frozen
class Running:
    server: Server
    handler: Slow
    limits: ConnectionLimits
    port: int
    refused: list[tuple[str, int]]
    clients: list[asyncio.StreamWriter] = attrs.field(factory=list)

    async def client(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.clients.append(writer)
        writer.write(sent)
        return reader, writer

    async def gone(self) -> None:
        """Return when no connection is left."""
        async with asyncio.timeout(PATIENCE):
            while self.server.connections():  # noqa: ASYNC110 - each goes by itself
                await asyncio.sleep(0.01)


@attrs.frozen
class Setting:
    per_address: int = 0
    trusted: tuple[str, ...] = ()
    descriptors: int = 1 << 30


@pytest.fixture
async def running(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    setting: Setting = request.param
    handler, refused = Slow(), list[tuple[str, int]]()
    networks = tuple(map(ip_network, setting.trusted))
    limits = ConnectionLimits(
        setting.per_address,
        networks,
        lambda reason, count: refused.append((reason, count)),
        descriptors=lambda: setting.descriptors,
    )
    server = Server(handler, client_ip(networks), limits=limits)
    url = await server.start(bind("127.0.0.1", 0))
    running = Running(server, handler, limits, int(url.rpartition(":")[2]), refused)
    yield running
    handler.go.set()
    for writer in running.clients:
        writer.close()
    await server.stop()


async def status(reader: asyncio.StreamReader) -> bytes:
    """Return the status of the next answer; nothing where the connection is closed."""
    try:
        return (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE))[9:12]
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@pytest.mark.parametrize("running", [Setting(per_address=3)], indirect=True)
async def test_an_address_has_so_many_connections_and_one_more_is_closed(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    clients = [await running.client(GET) for _ in range(3)]
    assert [await status(reader) for reader, _ in clients] == [b"200"] * 3
    for _ in range(5):
        assert await status((await running.client(GET))[0]) == b""
    assert running.refused == [(PER_ADDRESS, 1)] * 5
    assert [record.getMessage() for record in caplog.records] == [
        "refused 1 beyond server.connections_per_address, the last from 127.0.0.1"
    ]
    clients[0][1].close()
    async with asyncio.timeout(PATIENCE):
        while await status((await running.client(GET))[0]) != b"200":  # noqa: ASYNC110 - the server's hands
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("running", [Setting(per_address=3)], indirect=True)
async def test_what_is_closed_is_not_counted_any_more(running: Running) -> None:
    for _ in range(10):
        reader, writer = await running.client(GET)
        assert await status(reader) == b"200"
        writer.transport.abort()
        await running.gone()
    assert running.limits.counts == {}


@pytest.mark.parametrize("running", [Setting(per_address=2, trusted=("127.0.0.1",))], indirect=True)
async def test_behind_a_trusted_proxy_a_clients_requests_in_progress_count(running: Running) -> None:
    def asked(path: bytes, client: bytes) -> bytes:
        return b"GET " + path + b" HTTP/1.1\r\nHost: g\r\nX-Forwarded-For: " + client + b"\r\n\r\n"

    slow = [await running.client(asked(b"/slow", b"203.0.113.9")) for _ in range(2)]
    async with asyncio.timeout(PATIENCE):
        while running.limits.counts != {bytes([203, 0, 113, 9]): 2}:  # noqa: ASYNC110 - the server's hands
            await asyncio.sleep(0.01)
    same, other = await running.client(asked(b"/", b"203.0.113.9")), await running.client(asked(b"/", b"198.51.100.1"))
    assert (await status(same[0]), await status(other[0])) == (b"503", b"200")
    running.handler.go.set()
    assert [await status(reader) for reader, _ in slow] == [b"200"] * 2
    assert await status((await running.client(asked(b"/", b"203.0.113.9")))[0]) == b"200"
    assert running.limits.counts == {}
    assert running.refused == [(PER_ADDRESS, 1)]


@pytest.mark.parametrize("running", [Setting(per_address=2)], indirect=True)
async def test_what_nobody_trusted_forwards_plays_no_part(running: Running) -> None:
    clients = [
        await running.client(GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 203.0.113.%d\r\n\r\n" % number))
        for number in range(3)
    ]
    assert [await status(reader) for reader, _ in clients] == [b"200", b"200", b""]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.8", False),
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        (None, "", True),
    ],
)
def test_an_address_is_counted_as_what_one_client_has(one: str | None, other: str, is_same: bool) -> None:
    assert (peer_of(one) == peer_of(other)) == is_same


def test_what_has_no_address_is_not_counted() -> None:
    limits = ConnectionLimits(1)
    assert [limits.enter(None) for _ in range(3)] == [b""] * 3
    assert limits.counts == {}


@attrs.define(eq=False)
class Held:
    peer: str | None
    is_busy: bool = False
    is_closed: bool = False

    def abort(self) -> None:
        self.is_closed = True


def test_when_descriptors_run_out_those_make_room_who_have_most(caplog: pytest.LogCaptureFixture) -> None:
    now, refused = [0.0], list[tuple[str, int]]()
    limits = ConnectionLimits(
        on_refused=lambda reason, count: refused.append((reason, count)),
        clock=lambda: now[0],
        descriptors=lambda: 1000,
    )
    lonely = [Held(f"198.51.100.{number}") for number in range(20)]
    crowd = [Held("203.0.113.9") for _ in range(60)]
    working = [Held("203.0.113.9", is_busy=True) for _ in range(40)]
    everybody = [*lonely, *crowd, *working]
    assert limits.make_room(935, lambda: everybody)
    assert refused == []
    for _ in range(3):
        assert limits.make_room(936, lambda: everybody)
    now[0] = 61.0
    assert limits.make_room(936, lambda: everybody)
    assert [each for each in everybody if each.is_closed] == crowd[:10]
    assert refused == [(DESCRIPTORS, 10)] * 4
    assert [record.getMessage() for record in caplog.records] == [
        f"descriptors run out at 1000: closed {count} connections; raise the limit of open files, or set "
        "server.connections_per_address"
        for count in (10, 30)
    ]


@pytest.mark.parametrize("running", [Setting(descriptors=1)], indirect=True)
async def test_where_nobody_is_idle_the_newcomer_goes(running: Running) -> None:
    assert await status((await running.client(GET))[0]) == b""
    assert running.refused == [(DESCRIPTORS, 1)]
    assert running.server.connections() == []


def test_a_server_whose_descriptors_were_all_taken_accepts_again() -> None:
    """By somebody else in the process, so that the kernel refuses to accept: uvloop closes such clients at once."""

    async def conversation() -> tuple[list[bytes], bytes, float]:
        server = Server(Slow(), lambda peer, _forwarded: peer, limits=ConnectionLimits(descriptors=lambda: 1 << 30))
        port = int((await server.start(bind("127.0.0.1", 0))).rpartition(":")[2])
        clients = [socket.socket() for _ in range(3)]
        taken: list[socket.socket] = []
        try:
            while True:
                taken.append(socket.socket())
        except OSError:
            pass
        turned_away = []
        busy = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        for client in clients:
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", port))
            turned_away.append(await asyncio.to_thread(client.recv, 10))
        await asyncio.sleep(0.5)
        busy = resource.getrusage(resource.RUSAGE_SELF).ru_utime - busy
        for each in (*taken, *clients):
            each.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        served = await status(reader)
        writer.close()
        await server.stop()
        return turned_away, served, busy

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.to_thread(lambda: None))  # its thread is there before descriptors run out
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        try:
            turned_away, served, busy = runner.run(conversation())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (turned_away, served) == ([b""] * 3, b"200")
    assert busy < 0.4
