"""What a server listens on: several addresses, a Unix socket, sockets that were handed over. Without a gateway."""

import asyncio
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs
import pytest

from gateway.dialect.message import Response
from gateway.dialect.outcome import Refusal
from gateway.http.bind import bind, bind_all, callable_url, on_same_address, url_of
from gateway.http.client_address import client_ip
from gateway.http.handler import RequestHead
from gateway.http.listening.listeners import Listeners, listening, of_descriptors
from gateway.http.server import Server

GET = b"GET / HTTP/1.1\r\nHost: g\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n"
PATIENCE = 20.0


class Address:
    """Answers who a client is."""

    def route(self, head: RequestHead) -> "Place":
        return Place(str(head.client_ip))

    def cors(self, _head: RequestHead) -> str:
        return ""


@attrs.frozen
class Place:
    address: str
    body_limit: int | None = None

    async def answer(self, _body: bytes | Refusal) -> Response:
        return Response(200, self.address.encode())


def takes(listener: socket.socket, host: str, family: int = socket.AF_INET) -> bool:
    """Return whether who connects to a host reaches this listener and no other."""
    listener.setblocking(False)
    with socket.socket(family) as client:
        client.settimeout(PATIENCE)
        try:
            client.connect((host, listener.getsockname()[1]))
            listener.accept()[0].close()
        except (ConnectionRefusedError, BlockingIOError):
            return False
    return True


@contextmanager
def bound(*hosts: str) -> Iterator[tuple[socket.socket, ...]]:
    with ExitStack() as stack:
        sockets = tuple(stack.enter_context(each) for each in bind_all(hosts, 0))
        for each in sockets:
            each.listen()
        yield sockets


def test_all_addresses_have_one_port_and_any_address_of_ipv6_takes_ipv4_unless_that_has_a_socket_of_its_own() -> None:
    with bound("127.0.0.1", "127.0.0.2", "::1") as sockets:
        assert len({each.getsockname()[1] for each in sockets}) == 1
        assert [each.getsockname()[0] for each in sockets] == ["127.0.0.1", "127.0.0.2", "::1"]
    with bound("::") as (both,):
        assert (takes(both, "127.0.0.1"), takes(both, "::1", socket.AF_INET6)) == (True, True)
        with on_same_address(both) as worker:
            assert worker.getsockname() == both.getsockname()
    for hosts in (("::", "0.0.0.0"), ("0.0.0.0", "::")):
        with bound(*hosts) as sockets:
            six = sockets[hosts.index("::")]
            four = sockets[hosts.index("0.0.0.0")]
            assert [takes(four, "127.0.0.1"), takes(six, "127.0.0.1"), takes(six, "::1", socket.AF_INET6)] == [
                *(True, False, True)
            ]
            with on_same_address(six) as worker:
                assert worker.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1


def test_an_address_that_cannot_be_had_is_told_in_one_line_and_none_is_kept() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"^cannot listen on 127.0.0.1 port {port}: .*; choose another --port$"):
            bind_all(["127.0.0.2", "127.0.0.1"], port)
        bind_all(["127.0.0.2"], port)[0].close()
        with pytest.raises(OSError, match="^cannot listen on 'no such host': .*; choose another --host: "):
            bind_all(["127.0.0.2", "no such host"], port)
    with pytest.raises(OSError, match="^nothing to listen on: server.host is off, and server.unix_socket is not set$"):
        listening((), 0).__enter__()


def test_urls_name_what_listens(tmp_path: Path) -> None:
    with listening(["127.0.0.1", "::1"], 0, unix_path=tmp_path / "g.sock", scheme="https") as found:
        port = found.sockets[0].getsockname()[1]
        assert found.urls == (f"https://127.0.0.1:{port}", f"https://[::1]:{port}", f"unix:{tmp_path / 'g.sock'}")
    with socket.socket(socket.AF_UNIX) as nameless:
        nameless.bind(b"\0gateway-test-%d" % os.getpid())
        assert url_of(nameless) == f"unix:@gateway-test-{os.getpid()}"
    urls = ["http://[::1]:80", "https://h:1", "unix:/run/g", ""]
    assert [callable_url(each) for each in urls] == [*urls[:2], "http://localhost", "http://localhost"]


def test_a_unix_socket_is_its_users_and_groups_and_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "g.sock"
    for _ in range(2):
        with listening((), 0, unix_path=path) as found:
            assert (found.sockets[0].family, stat.S_IMODE(path.stat().st_mode)) == (socket.AF_UNIX, 0o660)
        assert not path.exists()
    with listening((), 0, unix_path=path) as found:
        path.unlink()
        path.write_text("another's")
    assert path.read_text() == "another's"


def test_a_unix_socket_takes_the_place_of_one_that_nobody_has_and_of_nothing_else(tmp_path: Path) -> None:
    stale, used, file = (tmp_path / name for name in ("stale", "used", "file"))
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale))
    with listening((), 0, unix_path=stale):
        pass
    file.write_text("kept")
    with socket.socket(socket.AF_UNIX) as another:
        another.bind(str(used))
        another.listen()
        for path, why in (
            (used, "another process listens on it"),
            (file, "it exists and is no socket"),
            (tmp_path, "it exists and is no socket"),
            (tmp_path / "no" / "folder", "No such file or directory"),
            (tmp_path / ("x" * 108), "AF_UNIX path too long (it may have 107 bytes)"),
        ):
            with pytest.raises(OSError) as raised:  # noqa: PT011 (compared below)
                listening((), 0, unix_path=path).__enter__()
            assert str(raised.value) == (
                f"cannot listen on the Unix socket {path}: {why}; choose another server.unix_socket"
            )
    assert (file.read_text(), used.exists()) == ("kept", True)
    with listening((), 0, unix_path=stale), pytest.raises(OSError, match="another process listens on it"):
        listening((), 0, unix_path=stale).__enter__()  # before the first one accepts, too


def test_descriptors_that_are_handed_over_are_sockets_that_no_child_inherits(tmp_path: Path) -> None:
    with (
        bind("127.0.0.1", 0) as ours,
        (tmp_path / "file").open("w") as file,
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        socket.socket() as without_address,
    ):
        ours.listen()
        url = url_of(ours)
        given = os.dup(ours.fileno())
        os.set_inheritable(given, True)
        with listening(["192.0.2.1"], 1, handed_over=[given]) as found:
            assert (found.urls, found.handed_over, os.get_inheritable(given)) == ((url,), True, False)
            with found.of_a_worker() as descriptors:
                assert descriptors == (given,)
        for number, why in (
            (file.fileno(), "is no socket: Socket operation on non-socket"),
            (datagrams.fileno(), "is no stream socket of TCP or Unix"),
            (without_address.fileno(), "is no socket that listens"),
        ):
            own = os.dup(number)
            with pytest.raises(OSError, match=f"^LISTEN_FDS: descriptor {own} {why}$"):
                of_descriptors([own], handed_over=True, scheme="http")


async def ask(*address: str | int, sent: bytes = GET) -> bytes:
    opened = asyncio.open_connection(*address) if len(address) == 2 else asyncio.open_unix_connection(address[0])  # type: ignore[arg-type]
    reader, writer = await opened
    writer.write(sent)
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    writer.close()
    return body


async def served(listeners: Listeners) -> Server:
    server = Server(Address(), client_ip(()))
    await server.start(*listeners.sockets, handed_over=listeners.handed_over)
    return server


async def test_one_server_answers_on_all_its_sockets_and_believes_who_comes_by_the_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "g.sock"
    with listening(["127.0.0.1", "127.0.0.2", "::1"], 0, unix_path=path) as listeners:
        server, port = await served(listeners), listeners.sockets[0].getsockname()[1]
        answers = [await ask(host, port) for host in ("127.0.0.1", "127.0.0.2", "::1")]
        assert answers == [b"127.0.0.1", b"127.0.0.1", b"::1"]
        assert await ask(str(path)) == b"198.51.100.1"
        assert await ask(str(path), sent=b"GET / HTTP/1.1\r\nHost: g\r\n\r\n") == b"None"
        await server.stop()


async def test_what_waits_on_a_socket_that_goes_on_is_the_next_servers(tmp_path: Path) -> None:
    path = tmp_path / "held"
    with socket.socket(socket.AF_UNIX) as unix, bind("127.0.0.1", 0) as tcp:
        unix.bind(str(path))
        for each in (unix, tcp):
            each.listen(16)
        for _ in range(2):
            given = [os.dup(each.fileno()) for each in (unix, tcp)]
            with listening([], 0, handed_over=given) as listeners:
                waiting = [asyncio.create_task(ask(*address)) for address in ((str(path),), tcp.getsockname())]
                await asyncio.sleep(0.01)  # they are connected, and nobody has accepted them
                server = await served(listeners)
                assert await asyncio.gather(*waiting) == [b"198.51.100.1", b"127.0.0.1"]
                await server.stop()
        assert path.exists()
