"""Of log lines that say the same, the first is logged at once, and the others are a count a minute."""

import logging
from functools import partial

import attrs
import pytest

from gateway.logs import repeats
from gateway.logs.repeats import Line, Repeats

log = logging.getLogger("a.part")


@attrs.define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def line(number: int) -> Line:
    return f"request {number}", {"request_id": str(number)}


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, object]]:
    """Return what was logged, with its facts; forget it."""
    said = [(record.getMessage(), vars(record)["facts"]) for record in caplog.records]
    caplog.clear()
    return said


def test_the_first_is_logged_at_once_and_the_others_are_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    clock = Clock()
    folded = Repeats(log, "refused", clock)
    for number in range(5):
        folded.add("a", partial(line, number))
    folded.add("b", lambda: line(9))
    clock.now = 59.9
    folded.flush()
    assert told(caplog) == [("refused request 0", {"request_id": "0"}), ("refused request 9", {"request_id": "9"})]
    clock.now = 60.0
    folded.flush()
    assert told(caplog) == [("refused 4 more in a minute like request 0", {"request_id": "0", "count": 4})]
    folded.add("a", lambda: line(5))  # it goes on: still no line for each
    folded.add("b", lambda: line(10))  # the minute of the only other one is over
    assert told(caplog) == [("refused request 10", {"request_id": "10"})]
    clock.now = 121.0
    folded.add("a", lambda: line(6))  # nobody has flushed meanwhile
    assert told(caplog) == [("refused 1 more in a minute like request 0", {"request_id": "0", "count": 1})]
    folded.flush(at_end=True)
    assert told(caplog) == [("refused 1 more in a minute like request 0", {"request_id": "0", "count": 1})]
    clock.now = 200.0
    folded.flush()
    folded.add("a", lambda: line(7))
    assert told(caplog) == [("refused request 7", {"request_id": "7"})]


def test_strangers_who_invent_kinds_fill_no_memory(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(repeats, "MAX_KINDS", 2)
    clock = Clock()
    folded = Repeats(log, "refused", clock)
    for number in range(100):
        folded.add(number, partial(line, number))
    assert [text for text, _ in told(caplog)] == ["refused request 0", "refused request 1", "refused request 2"]
    clock.now = 60.0
    folded.flush()
    assert told(caplog) == [("refused 97 more in a minute like other kinds", {"count": 97})]
    folded.add(3, lambda: line(3))
    assert told(caplog) == [("refused request 3", {"request_id": "3"})]


async def test_what_is_left_is_logged_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    folded = Repeats(log, "refused")
    async with folded.running():
        folded.add("a", lambda: line(0))
        folded.add("a", lambda: line(1))
    assert [text for text, _ in told(caplog)] == ["refused request 0", "refused 1 more in a minute like request 0"]


def test_whoever_debugs_gets_every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    folded = Repeats(log, "refused")
    for number in range(3):
        folded.add("a", partial(line, number))
    assert [text for text, _ in told(caplog)] == ["refused request 0", "refused request 1", "refused request 2"]
