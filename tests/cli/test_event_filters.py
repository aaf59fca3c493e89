"""`gateway events export | tail | count` with filters, from a position on, and what they say of wrong ones."""

import json
import os
import select
import signal
import subprocess
from pathlib import Path

import attrs
import pytest

from gateway.storage.contract import Entry
from tests.cli.lines import NOW, entry, keep
from tests.cli.test_events import start_tail, told
from tests.kit.event_lines import line
from tests.kit.serving import PATIENCE

HOUR = 3_600_000
LINES = [
    line(1, "shop", "databuddy", NOW, type="page", name="Home"),
    line(2, "shop", "tranthor", NOW + HOUR, name="Signed Up"),
    line(3, "blog", "databuddy", NOW + 2 * HOUR, name='say "hi"'),
    line(4, "shop", "databuddy", NOW + 3 * HOUR, name="Signed Up"),
]


def at(hour: int, *lines: bytes) -> Entry:
    which = json.loads(lines[0])
    return attrs.evolve(entry(lines, which["project"]), dialect=which["dialect"], received_at=NOW + hour * HOUR)


def text(*numbers: int) -> str:
    """The lines of these events, numbered from 1 on, as they are exported."""
    return "".join(LINES[number - 1].decode() + "\n" for number in numbers)


@pytest.fixture
def data(tmp_path: Path) -> str:
    keep(tmp_path / "data", *[at(hour, each) for hour, each in enumerate(LINES)])
    return str(tmp_path / "data")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--project", "shop"), (1, 2, 4)),
        (("--dialect", "databuddy"), (1, 3, 4)),
        (("--type", "page"), (1,)),
        (("--name", "Signed Up"), (2, 4)),
        (("--name", 'say "hi"'), (3,)),
        (("--name", "nobody"), ()),
        (("--since", "2026-01-02T04:04:05.678Z"), (2, 3, 4)),
        (("--before", "2026-01-02T04:04:05.678Z"), (1,)),
        (("--since", "2026-01-02T05:04:05+01:00", "--before", "2026-01-02T06:04:05Z"), (2, 3)),
        (("--since", "1s"), ()),
        (("--before", "1s"), (1, 2, 3, 4)),
        (("--after", "2"), (3, 4)),
        (("--after", "0"), (1, 2, 3, 4)),
        (("--after", "1", "--project", "shop", "--name", "Signed Up", "--type", "track"), (2, 4)),
    ],
)
def test_each_option_narrows_what_is_exported(data: str, options: tuple[str, ...], expected: tuple[int, ...]) -> None:
    said = "last position: 4\n" if "--after" in options else ""
    assert told("events", "export", "--data", data, *options) == (0, text(*expected), said)
    if "--after" not in options:
        assert told("events", "count", "--data", data, *options) == (0, f"{len(expected)}\n", "")


def test_an_export_resumes_from_the_position_that_it_said(data: str) -> None:
    resumed = ("events", "export", "--data", data, "--dialect", "databuddy", "--after")
    assert told(*resumed, "0") == (0, text(1, 3, 4), "last position: 4\n")
    keep(Path(data), at(4, LINES[0], LINES[0]))
    assert told(*resumed, "4") == (0, text(1, 1), "last position: 6\n")
    assert told(*resumed, "6") == (0, "", "last position: 6\n")


def test_with_position_each_line_begins_with_it(data: str) -> None:
    code, out, err = told("events", "export", "--data", data, "--with-position", "--project", "shop")
    lines = out.splitlines()
    assert (code, err) == (0, "last position: 4\n")
    assert lines == [f'{{"position":{number},{LINES[number - 1].decode()[1:]}' for number in (1, 2, 4)]
    assert [json.loads(each)["position"] for each in lines] == [1, 2, 4]


@pytest.mark.parametrize("position", ["x", "", "-1", "1-1", "99999999999999999999"])
def test_a_malformed_position_is_a_wrong_use(data: str, position: str) -> None:
    code, out, err = told("events", "export", "--data", data, "--after", position)
    said = f"Error: Invalid value for '--after': {position!r} is no position of this log; give one that an export said"
    assert (code, out, err.splitlines()[-1]) == (2, "", said)


@pytest.mark.parametrize("command", ["export", "tail", "count"])
def test_a_malformed_time_and_an_unknown_type_are_wrong_uses(data: str, command: str) -> None:
    for option, value in (("--since", "yesterday"), ("--since", "2026-01-02"), ("--type", "click")):
        code, out, err = told("events", command, "--data", data, option, value)
        last = err.splitlines()[-1]
        assert (code, out, last.startswith(f"Error: Invalid value for '{option}': '{value}' is no")) == (2, "", True)


def test_a_dialect_that_nobody_knows_is_an_error_of_one_line_with_the_nearest_name(data: str) -> None:
    for command in ("export", "tail", "count"):
        said = "Error: there is no dialect 'databudy'; did you mean databuddy?\n"
        assert told("events", command, "--data", data, "--dialect", "databudy") == (1, "", said)
    assert told("events", "count", "--data", data, "--dialect", "browsee") == (0, "0\n", "")


def test_a_dialect_that_is_not_installed_any_more_is_known_by_its_events(tmp_path: Path) -> None:
    keep(tmp_path, at(0, line(1, "shop", "gone")))
    assert told("events", "count", "--data", str(tmp_path), "--dialect", "gone") == (0, "1\n", "")


def read(process: "subprocess.Popen[bytes]", size: int) -> str:
    """Read as much as is expected, or what there is after a long wait."""
    assert process.stdout is not None
    found = b""
    while len(found) < size and select.select([process.stdout], [], [], PATIENCE)[0]:
        found += os.read(process.stdout.fileno(), size - len(found))
    return found.decode()


@pytest.mark.parametrize(
    ("options", "first", "then"),
    [
        (("-n", "2"), (3, 4), (1, 2, 3, 4)),
        (("-n", "1", "--project", "blog"), (3,), (3,)),
        (("-n", "100"), (1, 2, 3, 4), (1, 2, 3, 4)),
        (("--since", "2026-01-02T04:04:05Z"), (2, 3, 4), (2, 3, 4)),
        (("--since", "2026-01-02T04:04:05Z", "-n", "1", "--name", "Signed Up"), (4,), (2, 4)),
    ],
)
def test_tail_begins_with_the_events_that_are_asked_for_and_goes_on(
    data: str, options: tuple[str, ...], first: tuple[int, ...], then: tuple[int, ...]
) -> None:
    with start_tail(data, *options) as process:
        assert read(process, len(text(*first).encode())) == text(*first)
        keep(Path(data), *[at(hour, each) for hour, each in enumerate(LINES)])
        assert read(process, len(text(*then).encode())) == text(*then)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert (process.wait(PATIENCE), process.stderr.read()) == (0, b"")
