"""The watcher of keys.db: it reports each change, and survives a file that cannot be read."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from gateway.keys.admin import Admin
from gateway.keys.keyring import Keyring
from gateway.storage.engines import open_store
from gateway.storage.sqlite.keys.key_file import KeyFile
from gateway.storage.sqlite.keys.watch import watch
from tests.kit.fake_dialect import API_KEY, dialect
from tests.kit.serving import PATIENCE

NOW = 1767323045678
VALUE = "acme_0123456789abcdef"


async def test_the_watcher_reports_the_credentials_and_each_change(keys: KeyFile, path: Path) -> None:
    reported: asyncio.Queue[tuple[Keyring, Admin]] = asyncio.Queue()
    added = keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    task = asyncio.create_task(watch(path, lambda *both: reported.put_nowait(both), every=0.01))
    try:
        assert await reported.get() == (keys.load(), keys.admin())
        keys.revoke(added.record.id, now=NOW)
        assert await reported.get() == (keys.load(), keys.admin())
        token = keys.new_admin_token()
        ring, admin = await reported.get()
        assert (ring, admin.verify(token)) == (keys.load(), True)
        assert reported.empty()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_file_that_takes_the_place_of_the_first_is_read_and_one_that_is_gone_changes_nothing(
    keys: KeyFile, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = path.with_name("other.db")
    with KeyFile.open(other, make=True) as made:
        made.add("blog", dialect, API_KEY, now=NOW, value=VALUE)
        expected = made.load()
    reported: asyncio.Queue[Keyring] = asyncio.Queue()
    task = asyncio.create_task(watch(path, lambda ring, _admin: reported.put_nowait(ring), every=0.01))
    try:
        assert await reported.get() == keys.load()
        os.rename(path, path.with_name("first.db"))
        await asyncio.sleep(0.05)
        assert reported.empty()
        os.rename(other, path)
        assert await reported.get() == expected
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert caplog.messages == []


async def test_the_watcher_survives_a_file_that_cannot_be_read(path: Path) -> None:
    reported: asyncio.Queue[Keyring] = asyncio.Queue()
    task = asyncio.create_task(watch(path, lambda ring, _admin: reported.put_nowait(ring), every=0.01))
    try:
        await asyncio.sleep(0.05)
        with KeyFile.open(path, make=True) as keys:
            assert await reported.get() == keys.load()
    finally:
        task.cancel()
        await asyncio.wait([task])


def test_a_watch_that_is_cancelled_at_once_leaves_no_thread_behind(tmp_path: Path) -> None:
    async def made() -> None:
        async with open_store(f"sqlite:{tmp_path}").keys(make=True) as keys:
            await keys.new_admin_token()

    async def cancelled_after(steps: int) -> set[threading.Thread]:
        watching = asyncio.create_task(watch(tmp_path / "keys.db", lambda _keyring, _admin: None))
        for _ in range(steps):
            await asyncio.sleep(0)
        watching.cancel()
        await asyncio.wait([watching])
        return {each for each in threading.enumerate() if each is not threading.main_thread()}

    asyncio.run(made())
    for steps in range(6):
        others = [each for each in asyncio.run(cancelled_after(steps)) if "connection" in each.name]
        for each in others:
            each.join(PATIENCE)  # it says that it is closed a moment before it ends
        assert [each.name for each in others if each.is_alive()] == []
