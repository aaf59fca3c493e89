"""Log records are one harmless line each, of text or of JSON, whatever a client wrote into them."""

import json
import logging
import sys

from gateway.logs.lines import JsonLine, TextLine, facts

HOSTILE = "\x9b2J\nINFO forged\u202e\ud800\x7f"
ESCAPED = r"\u009b2J\u000aINFO forged\u202e\ud800\u007f"


def record(message: str, level: int = logging.INFO, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("gateway.part", level, "", 0, message, (), None)
    made.created, made.msecs = 1_790_000_000.125, 125.0
    for name, value in more.items():
        setattr(made, name, value)
    return made


def caught() -> dict[str, object]:
    try:
        raise ValueError("a\x9b\nERROR forged")
    except ValueError:
        return {"exc_info": sys.exc_info()}


def test_a_record_of_text_is_one_line_with_escapes() -> None:
    said = TextLine("HTTP worker 1").format(record(f"refused {HOSTILE}"))
    assert said == f"2026-09-21T14:13:20.125Z INFO [HTTP worker 1] gateway.part: refused {ESCAPED}"


def test_a_traceback_is_indented_so_that_nothing_in_it_looks_like_a_record() -> None:
    first, *more = TextLine().format(record("a bug", logging.ERROR, **caught())).split("\n")
    assert (first, more[0], more[-2:]) == (
        "2026-09-21T14:13:20.125Z ERROR [gateway] gateway.part: a bug",
        "    Traceback (most recent call last):",
        [r"    ValueError: a\u009b", "    ERROR forged"],
    )


def test_a_record_of_json_is_one_object_with_its_facts_whose_texts_are_harmless() -> None:
    known = facts(project=HOSTILE, count=3, ratio=0.5, key=None, dialects=["a", "\x1b"], time="not theirs", path=sys)
    line = JsonLine("writer").format(record(f"refused {HOSTILE}", **known))
    assert (line.isascii(), line.isprintable()) == (True, True)
    assert json.loads(line) == {
        "time": "2026-09-21T14:13:20.125Z",
        "level": "info",
        "process": "writer",
        "logger": "gateway.part",
        "message": f"refused {ESCAPED}",
        "project": ESCAPED,
        "count": 3,
        "ratio": 0.5,
        "dialects": ["a", r"\u001b"],
        "path": str(sys),
    }


def test_a_traceback_in_json_is_a_field_of_the_same_line() -> None:
    line = JsonLine().format(record("a bug", logging.ERROR, **caught()))
    said = json.loads(line)
    assert ("\n" in line, said["level"], said["message"]) == (False, "error", "a bug")
    assert said["exception"].startswith("Traceback (most recent call last):\n")
    assert said["exception"].endswith("ValueError: a\\u009b\nERROR forged")
