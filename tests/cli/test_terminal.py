"""What a client wrote never commands an operator's terminal; a file or a pipe gets it as it is stored."""

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from gateway.printable import first_hidden
from gateway.storage.contract import QuarantinedItem
from gateway.storage.sqlite.keys.key_file import KeyFile
from tests.cli.ends import on_a_terminal
from tests.cli.lines import NOW, entry, keep
from tests.kit.fake_dialect import SITE, dialect
from tests.kit.serving import GATEWAY, PATIENCE, run

HOSTILE = "\x9b2J\x1b]0;owned\x07\x7f\u202egpj\u2066\u200b\u2028\ufeff\U000e0041\x85"
EVENT = {"project": "shop", "name": HOSTILE, HOSTILE: {"url": HOSTILE}}
LINE = json.dumps(EVENT, ensure_ascii=False).encode()


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "data"
    fault = json.dumps([{"code": "required", "pointer": f"/{HOSTILE}", "detail": {}}], ensure_ascii=False).encode()
    keep(path, entry([LINE], quarantined=[QuarantinedItem(HOSTILE, fault, LINE)]))
    with KeyFile.open(path / "keys.db", make=True) as keys:
        keys.add("shop", dialect, SITE, now=NOW, value="a-site")
    with closing(sqlite3.connect(path / "keys.db")) as file, file:  # as a version before this one let it in
        file.execute("UPDATE credentials SET hint = ?, origins = ?", (HOSTILE, json.dumps([HOSTILE])))
    return str(path)


def is_harmless(shown: str) -> bool:
    return all(first_hidden(line.replace("\x1b[0m", "").replace("\x1b[1m", "")) is None for line in shown.split("\n"))


@pytest.mark.parametrize(
    "command",
    [
        ("events", "export"),
        ("events", "export", "--output", "-"),
        ("events", "export", "--output", "/dev/stdout"),
        ("events", "export", "--output", "/dev/stderr"),
        ("quarantine", "list"),
        ("quarantine", "show", "1"),
        ("keys", "list"),
        ("keys", "list", "--json"),
        ("outcomes",),
    ],
    ids=" ".join,
)
def test_a_terminal_gets_escapes(command: tuple[str, ...], data: str) -> None:
    code, shown = on_a_terminal([*command, "--data", data])
    assert (code, is_harmless(shown)) == (0, True), shown


def test_a_line_on_a_terminal_is_the_json_that_was_stored(data: str) -> None:
    for command in (("events", "export"), ("quarantine", "list"), ("keys", "list", "--json")):
        code, shown = on_a_terminal([*command, "--data", data])
        stored = run(*command, "--data", data).stdout
        assert (code, json.loads(shown.splitlines()[0])) == (0, json.loads(stored))
        assert shown != stored


def test_a_pipe_gets_the_bytes_as_they_are_stored(data: str, tmp_path: Path) -> None:
    assert run("events", "export", "--data", data).stdout.encode() == LINE + b"\n"
    assert run("events", "export", "--data", data, "--output", str(tmp_path / "out")).returncode == 0
    assert (tmp_path / "out").read_bytes() == LINE + b"\n"


def test_the_table_of_outcomes_fits_80_columns_with_its_words_whole(data: str) -> None:
    code, shown = on_a_terminal(["outcomes", "--data", data])
    head, line, *rows = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    verdicts = ["received", "stored", "duplicate", "quarantined", "filtered", "rejected"]
    assert (code, head.split()) == (0, ["project", "dialect", *verdicts])
    assert (len(line) <= 80, len(rows), rows[0].split()[-7:-5]) == (True, 1, ["acme", "2"])


def test_a_followed_log_is_escaped_on_a_terminal_too(data: str) -> None:
    ours, theirs = pty.openpty()
    command = [*GATEWAY, "events", "tail", "--data", data]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        shown = b""
        os.set_blocking(ours, False)
        while not shown.endswith(b"\n"):
            keep(Path(data), entry([LINE]))
            try:
                shown += os.read(ours, 1 << 16)
            except BlockingIOError:
                assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    os.close(ours)
    first = shown.decode().splitlines()[0]
    assert (json.loads(first), is_harmless(first)) == (EVENT, True)


def test_an_error_names_a_path_with_all_of_its_characters(tmp_path: Path) -> None:
    failed = run("keys", "list", "--data", f"{tmp_path}/a\x1b[2Jb")
    there_is_none = rf"Error: there is no directory {tmp_path}/a\u001b[2Jb; "
    assert (failed.returncode, failed.stderr.startswith(there_is_none)) == (1, True), failed.stderr


def test_an_error_is_one_harmless_line_wherever_it_goes(data: str) -> None:
    name = HOSTILE.replace("\x9b", "\u202e")
    for arguments in (
        ("events", "export", "--data", f"{data}/{name}"),
        ("events", "export", "--data", data, "--project", name),
        ("check-config", f"{data}/{name}"),
        ("receipt", name, "--data", data),
        ("keys", "revoke", name, "--data", data),
        ("schemas", name),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert is_harmless(done.stderr), done.stderr
