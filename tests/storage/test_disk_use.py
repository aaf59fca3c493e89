"""What a data directory takes of its disk, file by file. The kit asks every engine what it takes in all."""

import shutil
from pathlib import Path

import pytest

from gateway.datadir import DataDir, DataDirError, make
from gateway.storage.info import DiskUse
from gateway.storage.sqlite.info import disk_use


def test_the_files_of_a_directory_are_counted_and_those_below_it(tmp_path: Path) -> None:
    directory = make(tmp_path / "data")
    (directory.path / "events.db").write_bytes(b"x" * 1000)
    below = directory.path / "blobs" / "ab"
    below.mkdir(parents=True)
    (below / "first").write_bytes(b"x" * 30)
    (below / "second").write_bytes(b"x" * 4)
    (below / "elsewhere").symlink_to("/etc")
    (directory.path / "events.db-wal").write_bytes(b"x" * 200)
    for name in ("events.db-shm", "rejected.db", "rejected.db-wal", "keys.db", "keys.db-shm"):
        (directory.path / name).write_bytes(b"x" * len(name))
    known = {"log": 1000, "wal": 200, "rejected": 26, "keys": 18, "blobs": 34}
    found = disk_use(directory)
    others = sum(each.stat().st_size for each in directory.path.iterdir() if each.is_file()) - 1000 - 200 - 26 - 18
    assert others >= 13
    assert found == DiskUse(bytes=others + 1278, free=found.free, parts={**known, "other": others})
    assert found.free is not None
    assert 0 < found.free <= shutil.disk_usage(tmp_path).total


def test_of_very_many_files_only_some_are_counted(tmp_path: Path) -> None:
    directory = DataDir(tmp_path)
    for name in range(10):
        (tmp_path / str(name)).write_bytes(b"xy")
    assert [(each.bytes, each.is_whole) for each in (disk_use(directory, 9), disk_use(directory, 10))] == [
        (18, False),
        (20, True),
    ]


def test_a_directory_that_is_gone_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataDirError, match=r"^cannot read .*gone: No such file or directory$"):
        disk_use(DataDir(tmp_path / "gone"))
