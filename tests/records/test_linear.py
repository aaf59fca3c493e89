"""Nothing that sees what a client sent takes more than linear time: every regular expression, and all of redaction."""

import importlib
import pkgutil
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping

import attrs
import pytest

import dialects
import gateway
from gateway.dialect import Credential
from gateway.dialect.message import Request
from gateway.records.redact import Redaction
from tests.kit.fake_dialect import dialect

ROOMS = ("gateway.dialect", "gateway.http", "gateway.ingest", "gateway.keys", "gateway.records", "gateway.storage")
SMALL = 32 << 10
"""Bytes of the shorter of two texts that are compared: a quadratic expression takes seconds for it."""
CAP = 5 << 20
"""The largest cap of a body, Tranthor's."""
MEASURABLE = 0.05
OWN = attrs.evolve(dialect, secret_fields=("apiKey",))
SECRET = "a" * 12
MOST_SECONDS = 5.0
"""For a body of the cap, on a machine that does other things too; a quadratic expression takes hours."""
UNITS: Mapping[str, bytes] = {
    "an unterminated string": b"a",
    "only quotes": b'"',
    "only backslashes": b"\\",
    "escaped quotes": b'\\x\\"',
    "empty strings": b'"",',
    "escaped strings": b'"\\n",',
    "escaped letters": b"\\u0061",
    "broken escapes": b"\\u",
    "escapes of escapes": b'\\\\\\"',
    "the secret": b'"aaaaaaaaaaaa",',
    "the secret with escapes": b'"\\u0061aaaaaaaaaaa",',
    "almost the secret": b'"aaaaaaaaaaab",',
    "names": b'"apiKey"',
    "names with white space": b'"apiKey" \n',
    "names with values": b'"apiKey":"a",',
    "names in strings": b'\\"apiKey\\":',
    "colons": b'"a":',
    "white space": b" ",
    "open brackets": b"[{",
    "names of a form": b"&apiKey=",
    "parts of a form": b'name="apiKey"\n',
    "parts of a form with headers": b'name="apiKey"\r\na: b\r\n',
    "line feeds and dashes": b"\n-",
    "percent signs": b"%",
    "percent-encoded letters": b"%61",
    "percent-encoded percent signs": b"%25",
    "digits": b"1",
    "dots and digits": b"1.",
    "slashes": b"/{a}",
    "half a character": b"\xed\xa0\xbd",
}


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of this thread: other tests run beside this one."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def assert_linear(work: Callable[[bytes], object], unit: bytes, start: bytes) -> None:
    """Check that four times the text takes at most six times as long; what takes next to nothing is not compared."""

    def took(size: int) -> float:
        text = start + unit * (size // len(unit))
        return seconds(lambda: work(text))

    small, large = took(SMALL), took(4 * SMALL)
    if large > MEASURABLE and large > 6 * small:  # what else this machine does may cost time too
        small, large = max(took(SMALL) for _ in range(3)), min(took(4 * SMALL) for _ in range(3))
        assert large <= 6 * small, f"{large:.2f} s for {4 * SMALL} bytes, {small:.2f} s for a quarter of it"


def expressions() -> Iterator[tuple[str, re.Pattern[bytes] | re.Pattern[str]]]:
    """Yield the expressions of all modules that may see what a client sent, by name."""
    for package in (gateway, dialects):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.startswith((*ROOMS, "dialects.")):
                for name, value in vars(importlib.import_module(found.name)).items():
                    if isinstance(value, re.Pattern):
                        yield f"{found.name} {name}", value


@pytest.mark.parametrize(("name", "pattern"), list(expressions()))
def test_every_expression_takes_linear_time(name: str, pattern: re.Pattern[bytes] | re.Pattern[str]) -> None:
    for unit in UNITS.values():
        if isinstance(pattern.pattern, bytes):
            assert_linear(lambda body: deque(pattern.finditer(body), 0), unit, b'"')
        else:
            assert_linear(lambda body: deque(pattern.finditer(body.decode("latin-1")), 0), unit, b'"')


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_redaction_takes_linear_time_on_a_body_of_the_cap(unit: bytes) -> None:
    sent = Request("POST", "/x", {}, {"authorization": f"Bearer {SECRET}", "x-token": "bbbbbbbb cccccccc"}, b"", 0)
    redaction = Redaction.of(sent, OWN, [Credential("api_key", SECRET)], is_stranger=True)
    for start in (b'{"a":"', b'"', b""):
        assert_linear(redaction.body, unit, start)
    body = b'{"a":"' + unit * (CAP // len(unit))
    assert seconds(lambda: redaction.body(body)) < MOST_SECONDS
