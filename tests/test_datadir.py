"""The data directory: readable by its owner only, used by one server at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.datadir import DataDir, DataDirError, existing, find, make


def test_a_directory_is_created_with_its_parents_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    directory = make(tmp_path / "a" / "b")

    assert directory == make(tmp_path / "a" / "b")
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert (directory.events, directory.keys, directory.blobs) == (
        tmp_path / "a/b/events.db",
        tmp_path / "a/b/keys.db",
        tmp_path / "a/b/blobs",
    )


def test_a_file_in_its_place_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(DataDirError) as refused:
        make(tmp_path / "data")
    assert str(refused.value) == f"{tmp_path}/data is not a directory"
    with pytest.raises(DataDirError):
        make(tmp_path / "data" / "below")


def test_a_link_that_leads_nowhere_is_called_one(tmp_path: Path) -> None:
    link = tmp_path / "data"
    link.symlink_to("nowhere")
    for use in (make, existing):
        with pytest.raises(DataDirError) as refused:
            use(link)
        assert str(refused.value) == f"{link} is a link to a directory that does not exist"


def test_a_second_server_is_refused_and_learns_which_process_runs(tmp_path: Path) -> None:
    directory = make(tmp_path)
    with directory.lock():
        for _ in range(2):
            with pytest.raises(DataDirError) as refused:
                directory.lock()
            message = f"another gateway runs on {tmp_path} (process {os.getpid()}); stop it or choose another --data"
            assert str(refused.value) == message

    directory.lock().release()


def test_a_server_in_another_process_holds_the_lock_until_it_dies(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from gateway.datadir import make; "
    code += "held = make(Path(sys.argv[1])).lock(); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(DataDirError, match=rf"\(process {child.pid}\)"):
            make(tmp_path).lock()
        child.kill()

    make(tmp_path).lock().release()


def test_a_directory_that_is_gone_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(DataDirError, match="^cannot use .*: No such file or directory$"):
        DataDir(tmp_path / "gone").lock()


def test_finding_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataDirError):
        find(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []
