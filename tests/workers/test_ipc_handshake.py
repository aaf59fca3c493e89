"""Who speaks another version, or something else: nothing is sent to it, and one line says so."""

import asyncio
from pathlib import Path

import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.testing.engine.given.entries import entry, row
from gateway.testing.memory import MemoryStorage
from gateway.workers.ipc_client import RemoteStorage
from gateway.workers.ipc_codec import HELLO, Answer, FrameReader, FromClient, Hello, encode
from gateway.workers.ipc_socket import SOCKET, bound
from tests.workers.ipc import NEW, remote


@pytest.mark.parametrize("greeting", [encode(Hello("9.9.9 python3.99 0123")), b"\x07\x00\x00\x00marshal"])
async def test_a_server_of_another_version_is_never_sent_anything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, greeting: bytes
) -> None:
    with bound(tmp_path) as listener:
        storage = RemoteStorage(tmp_path, queue_bytes=1000, retry_seconds=0.01)
        listener.setblocking(False)
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        connection.setblocking(False)
        connection.send(greeting)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(storage.wait_ready(), 0.1)
        with pytest.raises(StorageUnavailable, match="the running gateway is another version"):
            await storage.append(entry(row(1)))
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        assert caplog.text.count("another version") == 1
        await storage.close()
        connection.close()


async def test_a_command_of_another_version_has_one_line_and_logs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with bound(tmp_path) as listener:
        listener.setblocking(False)
        connecting = asyncio.create_task(RemoteStorage.connect(tmp_path, queue_bytes=1000))
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        connection.send(encode(Hello("9.9.9 python3.99 0123")))
        with pytest.raises(StorageUnavailable) as caught:
            await connecting
        connection.close()
    told = f"another version ('9.9.9 python3.99 0123', and this is {HELLO.fingerprint!r})"
    assert str(caught.value) == f"the running gateway is {told}; restart it, or use its own version's command"
    assert caplog.text == ""


async def test_a_command_fails_at_once_when_nobody_listens_and_soon_when_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await RemoteStorage.connect(tmp_path, queue_bytes=1000)
    with bound(tmp_path):
        with pytest.raises(StorageUnavailable, match="does not answer; see its log"):
            await RemoteStorage.connect(tmp_path, queue_bytes=1000, hello_seconds=0.05)
        (tmp_path / SOCKET).rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").rename(tmp_path / SOCKET)
    with pytest.raises(ConnectionRefusedError):
        await RemoteStorage.connect(tmp_path, queue_bytes=1000)


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "a frame of 542393671 bytes is too long"),
        (b"\x01\x00\x00\x00\xc1", "MessagePack data is malformed: invalid opcode '\\xc1' (byte 0)"),
        (encode(Hello("9.9.9")), f"it is another version ('9.9.9', and this is {HELLO.fingerprint!r})"),
        (encode(HELLO) * 2, "a second Hello"),
    ],
)
async def test_a_client_that_sends_anything_else_is_disconnected_with_one_line_in_the_log(
    tmp_path: Path, sent: bytes, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with remote(MemoryStorage(), tmp_path) as storage:
        reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
        writer.write(sent)
        heard = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert FrameReader[Hello](Hello).feed(heard[: len(encode(HELLO))]) == [HELLO]
        assert await storage.append(entry(row(1))) == NEW  # the others stay connected
    [line] = [record.getMessage() for record in caplog.records]
    assert line == f"ended the connection of a client: {problem!r}"


async def test_a_server_that_answers_what_was_not_asked_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with bound(tmp_path) as listener:
        listener.setblocking(False)
        connecting = asyncio.create_task(RemoteStorage.connect(tmp_path, queue_bytes=1000))
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        connection.setblocking(False)
        connection.send(encode(HELLO))
        storage = await connecting
        waiting = asyncio.create_task(storage.append(entry(row(1))))
        heard = await asyncio.get_running_loop().sock_recv(connection, 1 << 16)
        assert FrameReader[FromClient](FromClient).feed(heard)[0] == HELLO
        connection.send(encode(Answer(99, (NEW,))))
        with pytest.raises(StorageUnavailable, match="the server ended before it answered; try again"):
            await waiting
        connection.close()
        await storage.close()
    [record] = caplog.records
    said = "cannot read what the writer sends, connecting again: 'an answer to entry 99, which is not in flight'"
    assert record.getMessage() == said
