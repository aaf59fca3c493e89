"""What is sent in one message: entries that come soon after each other, and not much more than enough."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest

from gateway.storage.contract import Appended, Entry, EventRow
from gateway.testing.engine.given.entries import entry, row
from gateway.workers.ipc_client import RemoteStorage
from gateway.workers.ipc_codec import HELLO, Append, FrameReader, FromClient, encode
from gateway.workers.ipc_outbox import ENOUGH, QUIET_TURNS
from gateway.workers.ipc_socket import bound


@attrs.frozen
class Line:
    """A client, and its server's end of the socket, from which both Hellos are read."""

    storage: RemoteStorage
    server: socket.socket
    answers: list[asyncio.Future[Appended]] = attrs.field(factory=list)

    def submit(self, each: Entry) -> asyncio.Future[Appended]:
        """Submit an entry; the server answers none, so that each answer fails at the end."""
        self.answers.append(self.storage.submit(each))
        return self.answers[-1]

    def heard(self) -> list[FromClient]:
        """Return the messages that have come. Raises BlockingIOError when none has."""
        return FrameReader[FromClient](FromClient).feed(self.server.recv(1 << 20))


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    loop = asyncio.get_running_loop()
    with bound(tmp_path) as listener:
        listener.setblocking(False)
        connecting = asyncio.create_task(RemoteStorage.connect(tmp_path, queue_bytes=1 << 20))
        server, _ = await loop.sock_accept(listener)
        await loop.sock_sendall(server, encode(HELLO))
        storage = await connecting
        assert await loop.sock_recv(server, 1 << 16) == encode(HELLO)
        line = Line(storage, server)
        yield line
        await storage.close()
        server.close()
        await asyncio.gather(*line.answers, return_exceptions=True)


async def test_entries_of_successive_turns_of_the_loop_are_one_message_once_a_few_turns_bring_no_more(
    line: Line,
) -> None:
    entries = tuple([entry(row(number)) for number in range(5)])
    for each in entries:
        line.submit(each)
        await asyncio.sleep(0)
    for _ in range(QUIET_TURNS):
        with pytest.raises(BlockingIOError):
            line.heard()
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert line.heard() == [Append(1, entries)]


async def test_much_is_sent_without_a_quiet_turn_and_in_messages_of_about_enough(line: Line) -> None:
    large, small = entry(EventRow(b"x" * ENOUGH)), entry(row(1))
    for each in (small, large, small, small):
        line.submit(each)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert line.heard() == [Append(1, (small, large)), Append(3, (small, small))]


async def test_an_entry_that_cannot_be_sent_fails_alone(line: Line) -> None:
    fit, unfit = entry(row(1)), attrs.evolve(entry(row(2)), received_at=1 << 64)
    answers = [line.submit(each) for each in (fit, unfit, fit)]
    with pytest.raises(ValueError, match="can't serialize ints"):
        await answers[1]
    await asyncio.sleep(0)
    assert line.heard() == [Append(1, (fit,)), Append(3, (fit,))]
    assert [answer.done() for answer in answers] == [False, True, False]


async def test_what_waits_is_sent_before_a_client_disconnects(line: Line) -> None:
    line.submit(entry(row(1)))
    await line.storage.close()
    assert line.heard() == [Append(1, (entry(row(1)),))]
