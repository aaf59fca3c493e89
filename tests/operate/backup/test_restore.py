"""A restore is whole or nobody uses it, goes on after a kill, and touches nothing that is in use."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.operate.backup.members import BackupError
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.store_error import StoreError
from gateway.testing.engine.given.filled import contents, entry, events, fill
from tests.operate.backup.making import made, new_sqlite, restored
from tests.operate.backup.test_damage import BATCH, EVENT, forged


class Killed(Exception):
    pass


def killed_after(pieces: int) -> Callable[[int, float], object]:
    def count(_events: int, _share: float) -> None:
        nonlocal pieces
        pieces -= 1
        if pieces < 0:
            raise Killed

    return count


@pytest.fixture
async def source(tmp_path: Path) -> str:
    url = await new_sqlite(tmp_path / "old")
    await fill(open_store(url))
    await made(url, tmp_path / "a.tar")
    return url


async def test_a_restore_that_is_broken_off_anywhere_goes_on_and_nobody_writes_in_between(
    source: str, database: str, tmp_path: Path
) -> None:
    file, expected = tmp_path / "a.tar", await contents(open_store(source))
    for target in (f"sqlite:{tmp_path / 'new'}", database):
        for pieces in (0, 2, 5, 11):
            with pytest.raises(Killed):
                await restored(file, target, killed_after(pieces))
            with pytest.raises(StoreError) as caught:
                async with open_store(target).storage(StoreSettings()):
                    pass
            assert f"a restore from {file} into " in str(caught.value)
            assert str(caught.value).endswith("is not finished; run `gateway backup restore` again to its end")
            with pytest.raises(StoreError, match="is not finished"):
                await made(target, tmp_path / "half.tar")
        backup = await restored(file, target)
        assert backup is not None
        assert (backup.counts["events"], await contents(open_store(target))) == (57, expected)


async def test_a_restore_that_is_finished_says_so_and_changes_nothing(source: str, tmp_path: Path) -> None:
    target = f"sqlite:{tmp_path / 'new'}"
    await restored(tmp_path / "a.tar", target)
    async with open_store(target).storage(StoreSettings()) as storage:
        await storage.append(entry(events(300)))
    before = await contents(open_store(target))
    assert await restored(tmp_path / "a.tar", target) is None
    assert await contents(open_store(target)) == before


async def test_only_an_empty_place_is_filled_and_only_from_one_backup(source: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not empty: only a new directory is filled"):
        await restored(tmp_path / "a.tar", source)
    target = f"sqlite:{tmp_path / 'new'}"
    with pytest.raises(Killed):
        await restored(tmp_path / "a.tar", target, killed_after(5))
    await made(source, tmp_path / "b.tar")
    with pytest.raises(StoreError, match=f"has been filled from {tmp_path / 'a.tar'}; restore to a new place"):
        await restored(tmp_path / "b.tar", target)


async def test_what_is_damaged_near_its_end_is_not_served(tmp_path: Path) -> None:
    parts = [("events", [EVENT]), ("batch", [BATCH])]
    file, target = forged(tmp_path / "a.tar", parts, counts={"events": 2}), f"sqlite:{tmp_path / 'new'}"
    with pytest.raises(BackupError, match="is damaged at"):
        await restored(file, target)
    with pytest.raises(StoreError, match="is not finished"):
        async with open_store(target).storage(StoreSettings()):
            pass


async def test_a_restore_does_not_go_on_with_a_copy_that_differs(tmp_path: Path) -> None:
    target, counts = f"sqlite:{tmp_path / 'new'}", {"events": 2}
    two = [("events", [EVENT]), ("batch", [BATCH]), ("events", [EVENT]), ("batch", [{**BATCH, "positions": [2]}])]
    other = [("events", [EVENT.replace(b"m-1", b"m-2")]), *two[1:]]
    with pytest.raises(Killed):
        await restored(forged(tmp_path / "a.tar", two, counts=counts), target, killed_after(1))
    with pytest.raises(StoreError) as caught:
        await restored(forged(tmp_path / "b.tar", other, counts=counts), target)
    assert "was filled in part from another copy" in str(caught.value)
    assert await restored(tmp_path / "a.tar", target) is not None
