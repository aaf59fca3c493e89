"""Times on the command line: RFC 3339 or an age, and nothing else."""

import pytest
from click.testing import CliRunner

from gateway.cli.outcomes import outcomes
from gateway.operate.times import parse

NOW = 1_767_323_045_678


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", 1_767_323_045_000),
        ("2026-01-02t03:04:05.678z", 1_767_323_045_678),
        ("2026-01-02 04:04:05+01:00", 1_767_323_045_000),
        ("1969-12-31T23:59:59.5Z", -500),
        ("0s", NOW),
        ("30m", NOW - 30 * 60_000),
        ("24h", NOW - 86_400_000),
        ("7d", NOW - 7 * 86_400_000),
    ],
)
def test_a_time_is_rfc_3339_or_an_age(text: str, expected: int) -> None:
    assert parse(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "7", "d", "-7d", "7 d", "1.5h", "7w", "\u0667d", "yesterday", "1767323045", "2026-01-02"),
        *("2026-01-02T03:04:05", "2026-W01-5T03:04:05Z", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05Zulu"),
    ],
)
def test_anything_else_is_a_usage_error(text: str) -> None:
    done = CliRunner().invoke(outcomes, ["--since", text])
    hint = "give one such as 2026-01-02T03:04:05Z, or an age such as 30m, 24h or 7d"
    said = f"Error: Invalid value for '--since': {text!r} is no time; {hint}"
    assert (done.exit_code, done.output.splitlines()[-1]) == (2, said)
