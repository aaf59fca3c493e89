"""A command beside a server: it is answered as the store did, and what nobody foresaw is one line."""

import asyncio
from pathlib import Path

import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Entry
from gateway.testing.engine.given.entries import body, entry, row
from gateway.testing.memory import MemoryStorage
from gateway.workers.ipc_client import RemoteStorage
from tests.storage.stores import opened
from tests.workers.ipc import NEW, served


class Failing(MemoryStorage):
    """A store with a bug."""

    def submit(self, entry: Entry) -> asyncio.Future[Appended]:
        raise LookupError("no such thing")


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        (Failing(), RuntimeError("the server cannot keep it, its log says why: LookupError('no such thing')")),
        (MemoryStorage(failure=StorageUnavailable("the disk is full")), StorageUnavailable("the disk is full")),
    ],
)
async def test_a_command_is_told_what_cannot_be_kept_and_the_connection_stays(
    tmp_path: Path, inner: MemoryStorage, problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(inner, tmp_path):
        command = await RemoteStorage.connect(tmp_path, queue_bytes=1000)
        for _ in range(2):
            with pytest.raises(type(problem)) as caught:
                await command.append(entry(row(1)))
            assert str(caught.value) == str(problem)
        await command.close()
    tracebacks = 2 if isinstance(inner, Failing) else 0
    assert caplog.text.count("LookupError: no such thing") == tracebacks


async def test_a_command_is_answered_as_the_store_did(tmp_path: Path) -> None:
    inner = MemoryStorage()
    async with served(inner, tmp_path):
        command = await RemoteStorage.connect(tmp_path, queue_bytes=1000)
        assert await command.append(entry(row(1))) == NEW
        await command.close()
    assert inner.bodies == [body(1)]


async def test_a_server_that_stops_answers_what_it_has_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as (inner, _), served(inner, tmp_path) as server:
        command = await RemoteStorage.connect(tmp_path, queue_bytes=1000)
        waiting = asyncio.create_task(command.append(entry(row(1))))
        while not server._in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await server.stop()  # a second stop is none
        assert await waiting == NEW
        await command.close()
