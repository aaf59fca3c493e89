"""A store behind a socket: it keeps what every Storage promises, and fails what it cannot know the fate of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import (
    Appended,
    AppendStatus,
    Blob,
    Entry,
    EventRow,
    IdempotencyRecord,
    QuarantinedItem,
    SubmittingStorage,
)
from gateway.workers.ipc_client import SOCKET, RemoteStorage
from gateway.workers.ipc_codec import Frames, appended_down, appended_up, encode, entry_down, entry_up, steps
from gateway.workers.ipc_server import IpcServer, bound
from tests.kit.recording import RecordingStorage
from tests.storage import test_contract as contract
from tests.storage.stores import body, counted, entry, opened, row, stored

NEW = Appended(AppendStatus.NEW, (False,))


@asynccontextmanager
async def remote(storage: SubmittingStorage, path: Path, queue_bytes: int = 1 << 26) -> AsyncIterator[RemoteStorage]:
    """A front's store, its writer in this very process."""
    with bound(path) as listener:
        writer = IpcServer(storage)
        await writer.start(listener)
        found = RemoteStorage(path, queue_bytes=queue_bytes, retry_seconds=0.01)
        await asyncio.wait_for(found.wait_ready(), 5)
        yield found
        await found.close()
        await writer.stop()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[contract.Store]:
    path = tmp_path / ("a long name for a folder " * 5)
    async with opened(path) as (inner, _), remote(inner, path) as storage:
        yield contract.Store(storage, lambda: stored(path), lambda: counted(path))


globals().update({name: test for name, test in vars(contract).items() if name.startswith("test_")})


@attrs.define
class Stuck(RecordingStorage):
    """Takes entries and never answers."""

    def submit(self, entry: Entry) -> asyncio.Future[Appended]:
        self.entries.append(entry)
        return asyncio.get_running_loop().create_future()


def test_every_field_of_entries_and_answers_crosses_whatever_the_pieces() -> None:
    whole = Entry(
        "p",
        "d",
        "r",
        1,
        (EventRow(b"a", b"k"), EventRow(b"b")),
        (QuarantinedItem("m\ud800", b"[]", b"{}"),),
        (Blob("n", b"\0"),),
        IdempotencyRecord(b"1", b"2", b"3"),
        RawRequest("POST", "/", b"{}", b"{}", b"body", None, "site"),
        b"[]",
        7,
    )
    answers = [Appended(status, (True, False), b"m", 5) for status in AppendStatus]
    sent = b"".join([encode((1, entry_down(whole))), *[encode((2, appended_down(answer))) for answer in answers]])
    for size in (1, 7, len(sent)):
        frames = Frames()
        found = [each for start in range(0, len(sent), size) for each in frames.feed(sent[start : start + size])]
        assert entry_up(found[0][1]) == whole
        assert [attrs.astuple(appended_up(each)) for _, each in found[1:]] == [attrs.astuple(each) for each in answers]


def test_a_field_of_a_type_that_cannot_be_sent_is_noticed_at_import() -> None:
    with pytest.raises(TypeError, match="has no shape"):
        steps(dict[str, object])


async def test_what_is_in_flight_when_the_writer_goes_is_unavailable_and_a_new_writer_is_found(tmp_path: Path) -> None:
    stuck, well = Stuck(), RecordingStorage()
    with bound(tmp_path) as listener:
        first = IpcServer(stuck)
        await first.start(listener.dup())
        storage = RemoteStorage(tmp_path, queue_bytes=1 << 20, retry_seconds=0.01)
        await asyncio.wait_for(storage.wait_ready(), 5)
        flying = [asyncio.create_task(storage.append(entry(row(number)))) for number in range(3)]
        while len(stuck.entries) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await hang_up(first)
        found = await asyncio.gather(*flying, return_exceptions=True)
        assert [type(each) for each in found] == [StorageUnavailable] * 3
        assert not storage.healthy
        with pytest.raises(StorageUnavailable):
            await storage.append(entry(row(1)))

        second = IpcServer(well)
        await second.start(listener.dup())
        await asyncio.wait_for(storage.wait_ready(), 5)
        assert await storage.append(entry(row(1))) == NEW
        await storage.close()
        await second.stop()
    assert not (tmp_path / SOCKET).exists()


async def hang_up(writer: IpcServer) -> None:
    """Let a writer go as if its process had ended, so far as its fronts can tell."""
    assert writer._server is not None
    assert writer._watch is not None
    writer._watch.cancel()
    writer._server.close()
    for front in list(writer._clients):
        front.close()
    for answer in list(writer._in_flight):
        answer.cancel()
    while writer._clients:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def test_beyond_its_bytes_a_front_refuses_at_once_and_takes_again_what_was_refused(tmp_path: Path) -> None:
    inner = RecordingStorage()
    async with remote(inner, tmp_path, queue_bytes=1000) as storage:
        large = [entry(EventRow(b'"' + b"x" * 700 + b'"')) for _ in range(3)]
        answers = await asyncio.gather(*[storage.append(each) for each in large], return_exceptions=True)
        assert [type(answer) for answer in answers] == [Appended, StorageUnavailable, StorageUnavailable]
        assert await storage.append(large[1]) == NEW
        assert await storage.append(entry(EventRow(b"y" * 5000))) == NEW


async def test_a_client_that_leaves_takes_nothing_back(tmp_path: Path) -> None:
    inner = RecordingStorage()
    async with remote(inner, tmp_path) as storage:
        leaving = asyncio.create_task(storage.append(entry(row(1))))
        staying = asyncio.create_task(storage.append(entry(row(2))))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == NEW
    assert inner.bodies == [body(1), body(2)]


async def test_what_a_front_sent_is_kept_also_where_the_front_is_gone_before_the_answer(tmp_path: Path) -> None:
    async with opened(tmp_path) as (inner, _), remote(inner, tmp_path) as storage:
        last = [asyncio.create_task(storage.append(entry(row(number)))) for number in range(50)]
        await asyncio.sleep(0)
        await storage.close()
        assert {type(each) for each in await asyncio.gather(*last, return_exceptions=True)} == {StorageUnavailable}
        async with asyncio.timeout(5):
            while len(stored(tmp_path)) < 50:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_an_entry_at_fault_fails_alone_and_a_store_in_trouble_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as (inner, _), remote(inner, tmp_path) as storage:
        answers = await asyncio.gather(
            storage.append(entry(row(1))),
            storage.append(entry(EventRow(b"\xff"))),
            # The wrong type is the point: it cannot be put into a frame.
            storage.append(entry(EventRow(object()))),  # type: ignore[arg-type]
            storage.append(entry(row(2))),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [Appended, RuntimeError, ValueError, Appended]
    troubled = RecordingStorage()
    async with remote(troubled, tmp_path) as storage:
        troubled.failure = StorageUnavailable("the disk is full", 7)
        with pytest.raises(StorageUnavailable, match="the disk is full") as caught:
            await storage.append(entry(row(1)))
        assert caught.value.retry_after == 7
        async with asyncio.timeout(5):
            while storage.healthy:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_writer_of_another_version_is_never_sent_anything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with bound(tmp_path) as listener:
        storage = RemoteStorage(tmp_path, queue_bytes=1000)
        listener.setblocking(False)
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        connection.send(encode(("9.9.9 Entry(everything: object)", True)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(storage.wait_ready(), 0.1)
        assert "another version" in caplog.text
        connection.close()
        await storage.close()
