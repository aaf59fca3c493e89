"""`gateway events names` and `tail --short`: what a person reads."""

import json
import os
import pty
import select
import signal
import subprocess
import termios
from datetime import datetime
from pathlib import Path

import attrs
import pytest

from gateway.storage.contract import Entry
from gateway.testing.engine.given.lines import MINUTE, START, line
from tests.cli.ends import on_a_terminal
from tests.cli.lines import entry, keep
from tests.cli.test_events import start_tail, told
from tests.kit.serving import GATEWAY, PATIENCE

HOSTILE = "\x1b[2J\u202etxt.exe\nfake line"
ESCAPED = r"\u001b[2J\u202etxt.exe\u000afake line"
PERSON = "0190b7f2-7d3c-7c1e-8f00-1a2b3c4d5e6f"
LINES = [
    line(1, name="Signed Up", dialect="databuddy", user_id=PERSON),
    line(2, name="Signed Up", dialect="databuddy", at=START + MINUTE, anonymous_id="a-1"),
    line(3, "a-project-of-a-long-name", "tranthor", type="identify", user_id="u-1"),
    line(4, name=HOSTILE, dialect="databuddy", anonymous_id=HOSTILE),
]


def at(text: bytes) -> Entry:
    event = json.loads(text)
    received = int(datetime.fromisoformat(event["received_at"]).timestamp() * 1000)
    return attrs.evolve(entry([text], event["project"]), dialect=event["dialect"], received_at=received)


@pytest.fixture(scope="module")
def shared(module_url: str) -> str:
    """The URL of a store with the four events, which no test changes."""
    keep(module_url, *map(at, LINES))
    return module_url


def counted(url: str, *options: str) -> list[object]:
    code, out, err = told("events", "names", "--storage", url, "--json", *options)
    assert (code, err) == (0, "")
    return [tuple(json.loads(each).values()) for each in out.splitlines()]


NEWEST, LATER = "2026-01-02T03:04:05.678Z", "2026-01-02T03:05:05.678Z"


def test_names_have_counts_and_the_time_of_the_newest(shared: str) -> None:
    signed_up = ("shop", "databuddy", "track", "Signed Up", 2, LATER)
    hostile = ("shop", "databuddy", "track", HOSTILE, 1, NEWEST)
    other = ("a-project-of-a-long-name", "tranthor", "identify", None, 1, NEWEST)
    assert counted(shared) == [other, signed_up, hostile]
    assert counted(shared, "--type", "track") == [signed_up, hostile]
    assert counted(shared, "--name", "Signed Up", "--before", "2026-01-02T03:05:00Z") == [
        ("shop", "databuddy", "track", "Signed Up", 1, NEWEST)
    ]
    assert counted(shared, "--name", "nobody") == []
    first = json.loads(told("events", "names", "--storage", shared, "--json")[1].splitlines()[0])
    assert [*first] == ["project", "dialect", "type", "name", "events", "newest"]


def test_names_are_a_table_of_80_columns_on_a_terminal(shared: str) -> None:
    code, shown = on_a_terminal(["events", "names", "--storage", shared])
    lines = [each.rstrip() for each in plain(shown).splitlines()]
    assert (code, max(map(len, lines)) <= 80) == (0, True), shown
    [row] = [each for each in lines if "Signed" in each]
    assert row.split() == ["shop", "databuddy", "track", "Signed", "Up", "2", "2026-01-02T03:05:05Z"]
    assert "\x1b[2J" not in shown


def plain(shown: str) -> str:
    """Return what a terminal got without the styles of our own."""
    return "".join([part.partition("m")[2] if index else part for index, part in enumerate(shown.split("\x1b["))])


def read_lines(descriptor: int, count: int) -> list[str]:
    found = b""
    while found.count(b"\n") < count and select.select([descriptor], [], [], PATIENCE)[0]:
        found += os.read(descriptor, 1 << 16)
    return found.decode().replace("\r\n", "\n").splitlines()


def test_short_lines_are_whole_in_a_pipe(shared: str) -> None:
    with start_tail(shared, "-n", "4", "--short") as process:
        assert process.stdout is not None
        lines = read_lines(process.stdout.fileno(), 4)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert lines == [
        f"2026-01-02T03:04:05Z shop       databuddy track    Signed Up                {PERSON}",
        "2026-01-02T03:05:05Z shop       databuddy track    Signed Up                a-1",
        "2026-01-02T03:04:05Z a-project-of-a-long-name tranthor  identify -                        u-1",
        f"2026-01-02T03:04:05Z shop       databuddy track    {ESCAPED} {ESCAPED}",
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            80,
            [
                "2026-01-02T03:04:05Z shop       databuddy track    Signed Up      0190b7f2-7d3c…",
                "2026-01-02T03:05:05Z shop       databuddy track    Signed Up      a-1",
                "2026-01-02T03:04:05Z a-project… tranthor  identify -              u-1",
                r"2026-01-02T03:04:05Z shop       databuddy track    \u001b[2J\u20… \u001b[2J\u20…",
            ],
        ),
        (
            130,
            [
                f"2026-01-02T03:04:05Z shop       databuddy track    Signed Up                               {PERSON}",
                "2026-01-02T03:05:05Z shop       databuddy track    Signed Up                               a-1",
                "2026-01-02T03:04:05Z a-project… tranthor  identify -                                       u-1",
                "2026-01-02T03:04:05Z shop       databuddy track    "
                r"\u001b[2J\u202etxt.exe\u000afake line   \u001b[2J\u202etxt.exe\u000afake line",
            ],
        ),
        (60, [f"2026-01-02T03:0{minute}:05Z shop       databuddy track    Signed …" for minute in (4, 5)]),
    ],
)
def test_short_lines_are_as_wide_as_the_terminal(shared: str, columns: int, expected: list[str]) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    command = [*GATEWAY, "events", "tail", "--storage", shared, "-n", "4", "--short"]
    environ = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**environ, "TERM": "xterm"}
    ) as process:
        os.close(theirs)
        shown = read_lines(ours, 4)
        process.kill()
    os.close(ours)
    lines = [plain(each).rstrip() for each in shown]
    assert lines[: len(expected)] == expected
    assert all(len(plain(each)) <= columns and "\x1b[1mSigned" in each for each in shown[:2])


def test_the_width_is_asked_for_again_and_colours_can_be_turned_off(tmp_path: Path) -> None:
    keep(tmp_path / "data", at(LINES[0]))
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    command = [*GATEWAY, "events", "tail", "--data", str(tmp_path / "data"), "-n", "1", "--short"]
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, env={**environ, "NO_COLOR": "1"}) as process:
        [narrow] = read_lines(ours, 1)
        termios.tcsetwinsize(theirs, (24, 130))
        os.close(theirs)
        keep(tmp_path / "data", at(LINES[0]))
        [wide] = read_lines(ours, 1)
        process.kill()
    os.close(ours)
    assert ("\x1b[36m" in narrow + wide, PERSON in plain(narrow), PERSON in plain(wide)) == (False, False, True)
