"""Output arrives whole, or the command fails and changes nothing; and `--output` is what it leads to."""

import json
import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from gateway.datadir import find
from gateway.storage.contract import QuarantinedItem
from gateway.storage.sqlite.keys.key_file import KeyFile
from gateway.storage.sqlite.read.reader import Reader
from tests.cli.ends import UNBUFFERED, into, on_a_pipe_that_does_not_block, unread
from tests.cli.lines import entry, keep
from tests.kit.serving import GATEWAY, run

ROWS = [json.dumps({"project": "shop", "n": number, "fill": "x" * 900}).encode() for number in range(1200)]
WHOLE = b"\n".join(ROWS) + b"\n"
SAID = "last position: 1200\n"
FULL = "Error: cannot write to standard output: No space left on device\n"
ITEM = QuarantinedItem("m-1", b'[{"code":"required","pointer":"/event","detail":{}}]', b'{"n":1}')


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("output") / "data"
    keep(path, entry(ROWS), entry([], quarantined=[ITEM]))
    with KeyFile.open(path / "keys.db", make=True):
        return str(path)


@pytest.mark.parametrize(
    ("command", "env"),
    [
        (("events", "export"), {}),
        (("events", "export"), UNBUFFERED),
        (("events", "count"), UNBUFFERED),
        (("outcomes",), {}),
        (("outcomes",), UNBUFFERED),
        (("quarantine", "list"), {}),
        (("schemas",), {}),
        (("--help",), UNBUFFERED),
        (("events", "--help"), {}),
    ],
)
def test_a_command_whose_output_finds_no_room_fails_in_one_line(
    command: tuple[str, ...], env: dict[str, str], data: str
) -> None:
    where = ("--data", data) if command[0] != "schemas" and "--help" not in command else ()
    assert into("/dev/full", [*command, *where], **env) == (1, FULL)


def test_a_pipe_that_does_not_block_gets_everything(data: str) -> None:
    assert on_a_pipe_that_does_not_block(["events", "export", "--data", data]) == (0, WHOLE, SAID.encode())


def test_a_value_comes_whole_from_a_pipe_that_does_not_block(tmp_path: Path) -> None:
    adding = ["keys", "add", "--data", str(tmp_path), "--dialect", "browsee", "--value-stdin", "--json"]
    code, out, err = on_a_pipe_that_does_not_block(adding, b"a-value-from-a-slow-writer\n")
    assert (code, err, json.loads(out)["value"]) == (0, b"", "a-value-from-a-slow-writer")


def test_a_reader_that_has_enough_is_no_failure(data: str) -> None:
    for command in (("events", "export"), ("events", "count"), ("quarantine", "list")):
        assert unread([*command, "--data", data]) == (0, "")


def test_dropped_items_stay_when_they_could_not_be_printed(tmp_path: Path) -> None:
    keep(tmp_path, entry([], quarantined=[ITEM, ITEM]))
    drop = ["quarantine", "drop", "1", "2", "--data", str(tmp_path)]
    assert into("/dev/full", drop) == (1, FULL)
    assert into("/dev/full", drop, **UNBUFFERED) == (1, FULL)
    assert unread(drop) == (1, "Error: nothing was dropped: nobody reads standard output\n")
    with Reader(find(tmp_path)) as reader:
        assert [row["id"] for row in reader.quarantine()] == [1, 2]
    dropped = tmp_path / "dropped.jsonl"
    assert into(str(dropped), drop) == (0, "2 dropped\n")
    assert [json.loads(line)["id"] for line in dropped.read_text().splitlines()] == [1, 2]


def test_a_credential_that_nobody_saw_is_not_made_and_replaces_none(tmp_path: Path) -> None:
    where = ("--data", str(tmp_path))
    made = json.loads(run("keys", "add", "--dialect", "browsee", "--json", *where).stdout)
    token = run("admin-token", *where).stdout.strip()
    for command, otherwise in (
        (["keys", "add", "--dialect", "tranthor"], "nothing was added"),
        (["keys", "rotate", made["id"]], "nothing was rotated"),
        (["admin-token"], "no token was made"),
    ):
        assert into("/dev/full", [*command, *where]) == (1, FULL)
        assert unread([*command, *where]) == (1, f"Error: {otherwise}: nobody reads standard output\n")
    with KeyFile.open(tmp_path / "keys.db") as keys:
        assert [(each.id, each.expires_at) for each in keys.list()] == [(made["id"], None)]
        assert keys.admin().verify(token)


def exported(data: str, output: Path | str) -> tuple[int, str, str]:
    done = run("events", "export", "--data", data, "--output", str(output))
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_has_many_names(output: str, data: str, tmp_path: Path) -> None:
    assert exported(data, output) == (0, WHOLE.decode(), SAID)
    assert [each.name for each in tmp_path.iterdir()] == []


def test_a_file_may_have_the_name_that_stands_for_standard_output(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exported(data, "./-") == (0, "", SAID)
    assert (tmp_path / "-").read_bytes() == WHOLE


@pytest.mark.parametrize("option", ["--output", "--data"])
def test_an_empty_path_is_a_wrong_use(option: str, data: str) -> None:
    done = run("events", "export", "--data", data, option, "")
    refused = f"Error: Invalid value for '{option}': the path is empty"
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (2, "", refused)


def test_a_link_stays_and_what_it_leads_to_is_replaced(data: str, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "events.jsonl").write_text("before")
    for name in ("events.jsonl", "not-there-yet.jsonl"):
        link, behind = tmp_path / f"link-to-{name}", tmp_path / "kept" / name
        link.symlink_to(behind)
        assert exported(data, link) == (0, "", SAID)
        assert (link.is_symlink(), behind.is_symlink(), behind.read_bytes() == WHOLE) == (True, False, True)
    assert {each.name for each in (tmp_path / "kept").iterdir()} == {"events.jsonl", "not-there-yet.jsonl"}


def test_a_pipe_with_a_name_gets_everything_and_stays(data: str, tmp_path: Path) -> None:
    fifo, got = tmp_path / "fifo", bytearray()
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: got.extend(fifo.read_bytes()))
    reader.start()
    assert exported(data, fifo) == (0, "", SAID)
    reader.join()
    assert (bytes(got) == WHOLE, stat.S_ISFIFO(fifo.stat().st_mode)) == (True, True)


def test_a_pipe_with_a_name_that_is_read_no_more_is_an_error(data: str, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: fifo.open("rb").close())
    reader.start()
    assert exported(data, fifo) == (1, "", f"Error: cannot write to {fifo}: nobody reads it any more\n")
    reader.join()


def test_a_device_is_written_to_and_never_replaced(data: str) -> None:
    assert exported(data, "/dev/null") == (0, "", SAID)
    assert exported(data, "/dev/full") == (1, "", "Error: cannot write to /dev/full: No space left on device\n")
    assert all(stat.S_ISCHR(os.stat(device).st_mode) for device in ("/dev/null", "/dev/full"))


def test_what_cannot_be_written_to_is_told_in_one_line_and_leaves_nothing(data: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    own = Path(data) / "events.db"
    for output, problem in (
        (tmp_path, "it is a directory"),
        (tmp_path / "missing" / "out", "No such file or directory"),
        (tmp_path / "loop", "Too many levels of symbolic links"),
        (tmp_path / ("x" * 300), "File name too long"),
        (own, "the gateway keeps its own data there"),
        (Path("/dev/fd/77"), "Bad file descriptor"),
    ):
        assert exported(data, output) == (1, "", f"Error: cannot write to {output}: {problem}\n")
    assert [each.name for each in tmp_path.iterdir()] == ["loop"]
    assert own.read_bytes().startswith(b"SQLite")


@pytest.mark.parametrize("name", ["keys.db-wal", "seen.filter", "refused.db", "lock", "gateway.sock", "blobs/ab/cdef"])
def test_no_file_of_a_gateways_own_is_replaced(name: str, data: str) -> None:
    own = Path(data) / name
    own.parent.mkdir(parents=True, exist_ok=True)
    refused = f"Error: cannot write to {own}: the gateway keeps its own data there\n"
    assert exported(data, own) == (1, "", refused)


def test_a_file_of_another_name_may_stand_in_the_data_directory(data: str) -> None:
    assert exported(data, Path(data) / "export.jsonl") == (0, "", SAID)


def test_a_file_that_finds_no_room_leaves_what_was_there(data: str, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.write_text("before")
    command = [*GATEWAY, "events", "export", "--data", data, "--output", str(output)]
    done = subprocess.run(["sh", "-c", 'ulimit -f 64; exec "$@"', "sh", *command], capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (1, f"Error: cannot write to {output}: File too large\n")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("out", "before")]
