"""The door for commands: what the store says comes back as it was said, and what nobody foresaw as one line."""

from pathlib import Path

import pytest

from gateway.datadir import make
from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, AppendStatus, Entry, EventRow
from gateway.workers.control import Control, listening
from tests.kit.recording import RecordingStorage

ENTRY = Entry("p", "d", "r", 1, (EventRow(b"{}"),))


class Failing(RecordingStorage):
    """A store with a bug."""

    async def append(self, entry: Entry) -> Appended:
        raise LookupError("no such thing")


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        (Failing(), r"the server cannot keep it, its log says why: LookupError('no such thing')"),
        (RecordingStorage(failure=StorageUnavailable("the disk is full")), "the disk is full"),
    ],
)
async def test_what_cannot_be_kept_is_told_and_the_door_stays_open(
    tmp_path: Path, storage: RecordingStorage, said: str
) -> None:
    directory = make(tmp_path / "data")
    async with listening(directory, storage):
        control = await Control.open(directory)
        for _ in range(2):
            with pytest.raises(StorageUnavailable) as told:
                await control.append(ENTRY)
            assert str(told.value) == said
        await control.close()


async def test_what_is_kept_is_answered_as_the_store_did(tmp_path: Path) -> None:
    directory = make(tmp_path / "data")
    storage = RecordingStorage()
    async with listening(directory, storage):
        control = await Control.open(directory)
        assert await control.append(ENTRY) == Appended(AppendStatus.NEW, (False,))
        await control.close()
    assert storage.bodies == [b"{}"]
