"""`gateway events export | tail | count` with filters, from a position on, and what they say of wrong ones."""

import json
import os
import select
import signal
import subprocess
from typing import Any

import attrs
import pytest

from gateway.storage.contract import Entry
from gateway.storage.engines import open_store
from gateway.storage.read import EventFilter
from gateway.testing.engine.given.lines import line
from tests.cli.lines import NOW, entry, keep
from tests.cli.test_events import start_tail, told
from tests.kit.engines import parsed
from tests.kit.log_reading import events_of
from tests.kit.serving import LAST_POSITION, PATIENCE

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


def values(*numbers: int) -> list[Any]:
    """The events of these numbers, from 1 on."""
    return parsed(b"\n".join([LINES[number - 1] for number in numbers]))


@attrs.frozen
class Filled:
    """A store with the four events: its URL, and their positions as they are printed, after that of the beginning."""

    url: str
    positions: tuple[str, ...]


def fill(url: str) -> Filled:
    keep(url, *[at(hour, each) for hour, each in enumerate(LINES)])
    positions = [str(position) for position, _ in events_of(open_store(url))]
    return Filled(url, ("0-0" if "-" in positions[0] else "0", *positions))


@pytest.fixture
def filled(url: str) -> Filled:
    return fill(url)


@pytest.fixture(scope="module")
def shared(module_url: str) -> Filled:
    """One that all tests read and none writes."""
    return fill(module_url)


def exported(url: str, *options: str) -> tuple[list[Any], str]:
    """Export events; return them, and what was said beside them."""
    code, out, err = told("events", "export", "--storage", url, *options)
    assert code == 0, err
    return parsed(out), err


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
        (("--after", "{2}"), (3, 4)),
        (("--after", "{0}"), (1, 2, 3, 4)),
        (("--after", "{1}", "--project", "shop", "--name", "Signed Up", "--type", "track"), (2, 4)),
    ],
)
def test_each_option_narrows_what_is_exported(
    shared: Filled, options: tuple[str, ...], expected: tuple[int, ...]
) -> None:
    given = [option.format(*shared.positions) for option in options]
    events, said = exported(shared.url, *given)
    assert (events, LAST_POSITION.sub("", said), said != "") == (values(*expected), "", True)
    if "--after" in options:
        assert said == f"last position: {shared.positions[4]}\n"
    if "--after" not in options:
        assert told("events", "count", "--storage", shared.url, *given) == (0, f"{len(expected)}\n", "")


def test_an_export_resumes_from_the_position_that_it_said(filled: Filled) -> None:
    resumed = ("--dialect", "databuddy", "--after")
    first, said = exported(filled.url, *resumed, filled.positions[0])
    assert (first, said) == (values(1, 3, 4), f"last position: {filled.positions[4]}\n")
    keep(filled.url, at(4, LINES[0], LINES[0]))
    newest = str(events_of(open_store(filled.url))[-1][0])
    last = f"last position: {newest}\n"
    assert exported(filled.url, *resumed, filled.positions[4]) == (values(1, 1), last)
    assert exported(filled.url, *resumed, newest) == ([], last)


def test_with_position_each_line_begins_with_it(shared: Filled) -> None:
    code, out, err = told("events", "export", "--storage", shared.url, "--with-position", "--project", "shop")
    expected = events_of(open_store(shared.url), EventFilter(project="shop"))
    assert (code, err) == (0, f"last position: {shared.positions[4]}\n")
    assert out.splitlines() == [f'{{"position":{json.dumps(place)},{text.decode()[1:]}' for place, text in expected]
    assert [each.pop("position") for each in parsed(out)] == [place for place, _ in expected]


@pytest.mark.parametrize("position", ["x", "", "-1", "1-1-1", "1-", "99999999999999999999"])
def test_a_malformed_position_is_a_wrong_use(shared: Filled, position: str) -> None:
    code, out, err = told("events", "export", "--storage", shared.url, "--after", position)
    said = f"Error: Invalid value for '--after': {position!r} is no position of this log; give one that an export said"
    assert (code, out, err.splitlines()[-1]) == (2, "", said)


@pytest.mark.parametrize("command", ["export", "tail", "count"])
def test_a_malformed_time_and_an_unknown_type_are_wrong_uses(shared: Filled, command: str) -> None:
    for option, value in (("--since", "yesterday"), ("--since", "2026-01-02"), ("--type", "click")):
        code, out, err = told("events", command, "--storage", shared.url, option, value)
        last = err.splitlines()[-1]
        assert (code, out, last.startswith(f"Error: Invalid value for '{option}': '{value}' is no")) == (2, "", True)


def test_a_dialect_that_nobody_knows_is_an_error_of_one_line_with_the_nearest_name(shared: Filled) -> None:
    for command in ("export", "tail", "count"):
        said = "Error: there is no dialect 'databudy'; did you mean databuddy?\n"
        assert told("events", command, "--storage", shared.url, "--dialect", "databudy") == (1, "", said)
    assert told("events", "count", "--storage", shared.url, "--dialect", "browsee") == (0, "0\n", "")


def test_a_dialect_that_is_not_installed_any_more_is_known_by_its_events(url: str) -> None:
    keep(url, at(0, line(1, "shop", "gone")))
    assert told("events", "count", "--storage", url, "--dialect", "gone") == (0, "1\n", "")


def read(process: "subprocess.Popen[bytes]", lines: int) -> list[Any]:
    """Read as many lines as are expected, or what there is after a long wait."""
    assert process.stdout is not None
    found = b""
    while found.count(b"\n") < lines and select.select([process.stdout], [], [], PATIENCE)[0]:
        found += os.read(process.stdout.fileno(), 1 << 16)
    return parsed(found)


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
    filled: Filled, options: tuple[str, ...], first: tuple[int, ...], then: tuple[int, ...]
) -> None:
    with start_tail(filled.url, *options) as process:
        assert read(process, len(first)) == values(*first)
        keep(filled.url, *[at(hour, each) for hour, each in enumerate(LINES)])
        assert read(process, len(then)) == values(*then)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert (process.wait(PATIENCE), process.stderr.read()) == (0, b"")
