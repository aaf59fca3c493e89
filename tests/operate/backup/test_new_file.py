"""A new file has its name once it is whole; nothing is replaced, and what a kill left is cleared away."""

import stat
from pathlib import Path

import pytest

from gateway.operate.backup.members import BackupError
from gateway.operate.backup.new_file import new_file


def write(path: Path) -> None:
    with new_file(path) as put:
        put(b"all ")
        assert not path.exists()
        put(b"of it")


def test_a_file_appears_whole_and_is_read_by_its_owner_only(tmp_path: Path) -> None:
    write(tmp_path / "a.tar")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.tar", b"all of it")]
    assert stat.S_IMODE((tmp_path / "a.tar").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_nothing_is_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.tar"
    {"file": path.touch, "link": lambda: path.symlink_to("nowhere"), "folder": path.mkdir}[kind]()
    with pytest.raises(BackupError) as caught:
        write(path)
    said = f"{path} exists, and a backup never replaces a file; choose another name"
    assert (str(caught.value), len(list(tmp_path.iterdir()))) == (said, 1)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupError) as caught:
        write(tmp_path / "no" / "a.tar")
    assert str(caught.value) == f"there is no directory {tmp_path / 'no'} to write a.tar into"


def test_what_is_made_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with pytest.raises(BackupError, match="was made meanwhile"), new_file(path):
        path.write_bytes(b"theirs")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.tar", b"theirs")]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def some(_of_it: bytes) -> None:
        raise KeyError

    with pytest.raises(KeyError), new_file(tmp_path / "a.tar"):
        some(b"some of it")
    assert list(tmp_path.iterdir()) == []


def test_who_writes_after_the_end_meets_no_other_file(tmp_path: Path) -> None:
    with new_file(tmp_path / "a.tar") as put:
        put(b"all of it")
    # The file may have the number that the other one had.
    with (tmp_path / "b").open("wb"), pytest.raises(BackupError, match="was broken off"):
        put(b"late")
    assert [each.read_bytes() for each in sorted(tmp_path.iterdir())] == [b"all of it", b""]


def test_what_a_kill_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(b"some of what was to be more")
    write(tmp_path / "a.tar")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.tar", b"all of it")]


def test_two_do_not_write_to_one_name(tmp_path: Path) -> None:
    path, part = tmp_path / "a.tar", tmp_path / "a.tar.part"
    with new_file(path) as put:
        with pytest.raises(BackupError) as caught:
            write(path)
        put(b"all of it")
    assert (str(caught.value), path.read_bytes()) == (f"another backup is being written to {part}", b"all of it")


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_no_leftover_is_not_removed(tmp_path: Path, kind: str) -> None:
    part, other = tmp_path / "a.tar.part", tmp_path / "precious"
    other.write_bytes(b"precious")
    part.symlink_to(other) if kind == "link" else part.mkdir()
    with pytest.raises(BackupError) as caught:
        write(tmp_path / "a.tar")
    assert (str(caught.value), other.read_bytes()) == (f"{part} is in the way; remove it", b"precious")
    assert not (tmp_path / "a.tar").exists()
