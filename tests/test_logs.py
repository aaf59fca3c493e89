"""Log records are one harmless line each, whatever a client wrote into them."""

import logging
import sys

from gateway.logs import OneLine


def formatted(record: logging.LogRecord) -> str:
    return OneLine("%(levelname)s %(name)s %(message)s").format(record)


def test_a_record_is_one_line_with_escapes() -> None:
    message = "refused %s"
    record = logging.LogRecord("gateway", logging.INFO, "", 0, message, ("\x9b2J\nINFO forged\u202e",), None)
    assert formatted(record) == r"INFO gateway refused \u009b2J\u000aINFO forged\u202e"


def test_a_traceback_is_indented_so_that_nothing_in_it_looks_like_a_record() -> None:
    try:
        raise ValueError("a\x9b\nERROR forged")
    except ValueError:
        record = logging.LogRecord("gateway", logging.ERROR, "", 0, "a bug", (), sys.exc_info())
    first, *more = formatted(record).split("\n")
    assert (first, more[0], more[-2:]) == (
        "ERROR gateway a bug",
        "    Traceback (most recent call last):",
        [r"    ValueError: a\u009b", "    ERROR forged"],
    )
