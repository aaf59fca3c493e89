import json
import os
import select
import signal
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from gateway.storage.contract import QuarantinedItem
from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from tests.cli.lines import NOW, entry, keep, line
from tests.kit.engines import parsed
from tests.kit.serving import GATEWAY, LAST_POSITION, PATIENCE, run

READING = [
    ("events", "export"),
    ("events", "tail"),
    ("events", "count"),
    ("quarantine", "list"),
]


def told(*arguments: str) -> tuple[int, str, str]:
    done = run(*arguments)
    return done.returncode, done.stdout, done.stderr


def exported(*arguments: str) -> str:
    """Return what an export printed; beside it, it says the position to go on from, and nothing else."""
    done = run("events", "export", *arguments)
    assert (done.returncode, LAST_POSITION.sub("", done.stderr), done.stderr != "") == (0, "", True)
    return done.stdout


@pytest.fixture(scope="module")
def shared(module_url: str) -> str:
    """The URL of a store with three events, which no test changes."""
    keep(module_url, entry([line(1), line(2)]), entry([line(3, "blog")], "blog"))
    return module_url


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "data"
    keep(path, entry([line(1), line(2)]), entry([line(3, "blog")], "blog"))
    return str(path)


def test_export_prints_the_very_lines_that_were_kept(data: str) -> None:
    lines = b"".join(each + b"\n" for each in (line(1), line(2), line(3, "blog"))).decode()
    assert told("events", "export", "--data", data) == (0, lines, "last position: 3\n")
    assert told("events", "export", "--data", data, "--format", "jsonl") == (0, lines, "last position: 3\n")


def test_export_and_count_look_at_one_project_where_one_is_named(shared: str) -> None:
    assert parsed(exported("--storage", shared, "--project", "blog")) == parsed(line(3, "blog"))
    assert told("events", "count", "--storage", shared, "--project", "shop") == (0, "2\n", "")


def test_a_project_that_nothing_names_is_an_error_of_one_line(shared: str) -> None:
    expected = (1, "", "Error: there is no project 'shp'; did you mean shop?\n")
    for command in (
        ("events", "export"),
        ("events", "tail"),
        ("events", "count"),
        ("events", "counts"),
        ("events", "retranslate", "--dry-run"),
        ("outcomes",),
        ("quarantine", "list"),
        ("quarantine", "list", "--rejected"),
        ("quarantine", "replay", "--all"),
    ):
        assert told(*command, "--storage", shared, "--project", "shp") == expected
    assert told("events", "count", "--storage", shared, "--project", "x") == (
        1,
        "",
        "Error: there is no project 'x'; choose from: blog, shop\n",
    )


def test_a_project_of_a_key_or_of_a_setting_exists_before_its_first_event(url: str, tmp_path: Path) -> None:
    keep(url, entry([line(1)]))
    added = run("keys", "add", "--storage", url, "--project", "new", "--dialect", "browsee")
    assert (added.returncode, told("events", "count", "--storage", url, "--project", "new")) == (0, (0, "0\n", ""))
    file = tmp_path / "gateway.toml"
    file.write_text("[projects.set]\nfilter_bots = false\n")
    done = run("events", "export", "--storage", url, "--project", "set", env={"GATEWAY_CONFIG": str(file)})
    assert (done.returncode, done.stdout, LAST_POSITION.sub("", done.stderr)) == (0, "", "")
    named = ("--project", "set", "--config", str(file))
    assert told("quarantine", "replay", "--all", "--storage", url, *named) == (
        0,
        "0 stored, 0 already stored, 0 failed again\n",
        "",
    )


def test_count_prints_one_integer(shared: str) -> None:
    assert told("events", "count", "--storage", shared) == (0, "3\n", "")


def test_more_than_a_block_comes_out_whole_and_in_order(url: str) -> None:
    rows = [json.dumps({"project": "shop", "number": number, "fill": "x" * 900}).encode() for number in range(3000)]
    keep(url, *[entry(rows[start : start + 100]) for start in range(0, 3000, 100)])
    assert parsed(exported("--storage", url)) == parsed(b"\n".join(rows))


def test_output_takes_the_lines_and_replaces_what_was_there(shared: str, tmp_path: Path) -> None:
    output = tmp_path / "out" / "events.jsonl"
    output.parent.mkdir()
    output.write_text("before")
    assert exported("--storage", shared, "--project", "blog", "--output", str(output)) == ""
    left = [(file.name, parsed(file.read_bytes())) for file in output.parent.iterdir()]
    assert left == [("events.jsonl", parsed(line(3, "blog")))]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_an_output_that_cannot_be_written_is_told_in_one_line(shared: str, tmp_path: Path) -> None:
    code, out, err = told("events", "export", "--storage", shared, "--output", str(tmp_path / "none" / "out"))
    assert (code, out, err.count("\n"), err.startswith("Error: ")) == (1, "", 1, True)


def test_a_format_that_is_not_there_is_a_wrong_use(shared: str) -> None:
    for command in (("quarantine", "list"), ("events", "export")):
        code, out, err = told(*command, "--storage", shared, "--format", "xml")
        choices = "'jsonl'" if command[0] == "quarantine" else "one of 'jsonl', 'csv', 'parquet'"
        said = f"Error: Invalid value for '--format': 'xml' is not {choices}."
        assert (code, out, err.splitlines()[-1]) == (2, "", said)


@pytest.mark.parametrize("command", READING)
def test_a_directory_without_events_is_told_in_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    said = f"Error: {tmp_path} holds no events yet; is it the directory that `gateway serve --data` was given?\n"
    assert told(*command, "--data", str(tmp_path)) == (1, "", said)


@pytest.mark.parametrize("command", READING)
def test_a_file_that_is_no_log_is_told_in_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "events.db").write_text("no database, but long enough to have the head of one " * 10)
    said = f"Error: cannot read {tmp_path / 'events.db'}: file is not a database\n"
    assert told(*command, "--data", str(tmp_path)) == (1, "", said)


@pytest.mark.parametrize("command", READING)
def test_a_newer_directory_is_told_in_one_line(command: tuple[str, ...], data: str) -> None:
    with closing(sqlite3.connect(Path(data) / "events.db")) as connection:
        connection.execute("PRAGMA user_version = 999")
    code, out, err = told(*command, "--data", data)
    assert (code, out, err.count("\n"), "was written by a newer gateway" in err) == (1, "", 1, True)


def test_a_database_without_tables_is_told_in_one_line(database: str) -> None:
    said = (
        f"Error: {open_store(database).name} holds no events yet; `gateway serve` makes its tables at its first start\n"
    )
    for command in READING:
        assert told(*command, "--storage", database) == (1, "", said)


async def test_a_database_of_a_newer_gateway_is_told_in_one_line(prepared: str) -> None:
    session = Session(Address(prepared), "test")
    async with session.transaction() as db:
        await db.execute("UPDATE gateway.meta SET version = 999, compatible_from = 999")
    await session.close()
    for command in (*READING, ("serve", "--port", "0")):
        code, out, err = told(*command, "--storage", prepared)
        assert (code, out, err.count("\n"), "was upgraded by a newer gateway to version 999" in err) == (1, "", 1, True)


def test_a_reader_that_has_had_enough_is_no_failure(url: str) -> None:
    rows = [json.dumps({"project": "shop", "fill": "x" * 900}).encode() for _ in range(3000)]
    keep(url, entry(rows))
    process = subprocess.Popen(
        [*GATEWAY, "events", "export", "--storage", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline()) == json.loads(rows[0])
    process.stdout.close()
    assert (process.stderr.read(), process.wait(PATIENCE)) == (b"", 0)
    process.stderr.close()


def start_tail(url: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*GATEWAY, "events", "tail", "--storage", url, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that starts the tests behind an `&` has them, and all that they start, ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until_a_line(process: subprocess.Popen[bytes], url: str, number: int, project: str) -> bytes:
    """Keep events until the tail, which looks only at what comes after it started, prints one."""
    assert process.stdout is not None
    printed = process.stdout.fileno()
    while not select.select([printed], [], [], 0.5)[0]:
        keep(url, entry([line(0, "other")], "other"), entry([line(number, project)], project))
        assert process.poll() is None
    return os.read(printed, 1 << 16)


def test_tail_prints_what_comes_in_and_ends_well_on_ctrl_c(url: str) -> None:
    keep(url, entry([line(1), line(2)]), entry([line(3, "blog")], "blog"))
    with start_tail(url, "--project", "shop") as process:
        printed = until_a_line(process, url, 7, "shop")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert (process.wait(PATIENCE), process.stderr.read()) == (0, b"")
    events = parsed(printed)
    assert events == parsed(line(7)) * len(events)


def test_tail_ends_when_nobody_reads_it_any_more(url: str) -> None:
    keep(url, entry([line(1)], "shop"))
    with start_tail(url) as process:
        until_a_line(process, url, 7, "shop")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert (process.wait(PATIENCE), process.stderr.read()) == (0, b"")


def test_the_quarantine_is_listed_with_reasons_and_payloads_as_they_came(url: str) -> None:
    quarantined = QuarantinedItem(
        "m-1", b'[{"code":"required","pointer":"/event","detail":{}}]', b'{"n":123456789012345678901234567890}'
    )
    keep(url, entry([line(1)], quarantined=[quarantined]), entry([], "blog", [quarantined]))
    receipt = json.loads(run("quarantine", "list", "--storage", url).stdout.splitlines()[0])["receipt"]
    row = (
        f'{{"id":1,"message_id":"m-1","received_at":{NOW},"project":"shop","dialect":"acme","route":"track",'
        f'"verdict":"quarantined","item":0,"receipt":"{receipt}",'
        '"faults":[{"code":"required","pointer":"/event","detail":{},"sentence":"/event is missing"}],'
        '"payload":{"n":123456789012345678901234567890}}\n'
    )
    assert told("quarantine", "list", "--storage", url, "--project", "shop") == (0, row, "")
    both = run("quarantine", "list", "--storage", url, "--format", "jsonl").stdout
    assert [json.loads(each)["project"] for each in both.splitlines()] == ["shop", "blog"]
