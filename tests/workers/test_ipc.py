"""A store behind a socket: it keeps what every Storage promises, and fails what nobody knows the fate of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Entry, EventRow
from gateway.testing.engine.given.appending import Log
from gateway.testing.engine.given.entries import body, entry, row
from gateway.testing.engine.log import append, idempotency
from gateway.testing.engine.promise import Promise, kept
from gateway.testing.memory import MemoryStorage
from gateway.workers.ipc_client import RemoteStorage
from gateway.workers.ipc_server import IpcServer
from gateway.workers.ipc_socket import SOCKET, bound
from tests.storage.stores import counted, opened, stored
from tests.workers.ipc import NEW, remote

PROMISES = [*append.FAMILY.promises, *idempotency.FAMILY.promises]


@asynccontextmanager
async def behind_a_socket(folder: Path) -> AsyncIterator[Log]:
    path = folder / ("a long name for a folder " * 5)

    async def bodies() -> list[bytes]:
        return stored(path)

    async def counts() -> dict[str, int]:
        return counted(path)

    async with opened(path) as (inner, _), remote(inner, path) as storage:
        yield Log(storage, bodies, counts)


@pytest.mark.parametrize(
    "promise", [*append.FAMILY.promises, *idempotency.FAMILY.promises], ids=lambda promise: promise.name
)
async def test_what_appending_promises_is_kept(promise: Promise[Log], tmp_path: Path) -> None:
    await kept(promise, partial(behind_a_socket, tmp_path))


@attrs.define
class Stuck(MemoryStorage):
    """Takes entries and never answers."""

    def submit(self, entry: Entry) -> asyncio.Future[Appended]:
        self.entries.append(entry)
        return asyncio.get_running_loop().create_future()


async def test_what_is_in_flight_when_the_writer_goes_is_unavailable_and_a_new_writer_is_found(tmp_path: Path) -> None:
    stuck, well = Stuck(), MemoryStorage()
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


async def hang_up(server: IpcServer) -> None:
    """Let a server go as if its process had ended, so far as its clients can see."""
    assert server._server is not None
    assert server._watch is not None
    server._watch.cancel()
    server._server.close()
    for client in list(server._clients):
        client.close()
    for answer in list(server._in_flight):
        answer.cancel()
    while server._clients:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def test_beyond_its_bytes_a_client_refuses_at_once_and_takes_again_what_was_refused(tmp_path: Path) -> None:
    inner = MemoryStorage()
    async with remote(inner, tmp_path, queue_bytes=1000) as storage:
        large = [entry(EventRow(b'"' + b"x" * 700 + b'"')) for _ in range(3)]
        answers = await asyncio.gather(*[storage.append(each) for each in large], return_exceptions=True)
        assert [type(answer) for answer in answers] == [Appended, StorageUnavailable, StorageUnavailable]
        assert await storage.append(large[1]) == NEW
        assert await storage.append(entry(EventRow(b"y" * 5000))) == NEW


async def test_a_client_that_leaves_takes_nothing_back(tmp_path: Path) -> None:
    inner = MemoryStorage()
    async with remote(inner, tmp_path) as storage:
        leaving = asyncio.create_task(storage.append(entry(row(1))))
        staying = asyncio.create_task(storage.append(entry(row(2))))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == NEW
    assert inner.bodies == [body(1), body(2)]


async def test_what_a_client_sent_is_kept_when_the_client_is_gone_before_the_answer(tmp_path: Path) -> None:
    async with opened(tmp_path) as (inner, _), remote(inner, tmp_path) as storage:
        last = [asyncio.create_task(storage.append(entry(row(number)))) for number in range(50)]
        await asyncio.sleep(0)
        await storage.close()
        assert {type(each) for each in await asyncio.gather(*last, return_exceptions=True)} == {StorageUnavailable}
        async with asyncio.timeout(30):
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
    troubled = MemoryStorage()
    async with remote(troubled, tmp_path) as storage:
        troubled.failure = StorageUnavailable("the disk is full", 7)
        with pytest.raises(StorageUnavailable, match="the disk is full") as caught:
            await storage.append(entry(row(1)))
        assert caught.value.retry_after == 7
        async with asyncio.timeout(30):
            while storage.healthy:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
