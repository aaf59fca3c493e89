"""Times on the command line: RFC 3339, or an age such as 24h. Every option that takes a time uses them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from gateway.clock import now

Command = TypeVar("Command", bound=Callable[..., Any])
_AGE = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(text: str, now: int) -> int:
    """Return a time in milliseconds since the epoch; `now` is the time from which an age counts.

        parse("2026-01-02T03:04:05Z", now) == 1767323045000
        parse("30m", now) == now - 1_800_000

    Ages are in s, m, h or d. Raises ValueError.
    """
    age = _AGE.fullmatch(text)
    if age is not None:
        return now - int(age[1]) * _UNITS[age[2]]
    if not _RFC3339.fullmatch(text):
        raise ValueError(text)
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)


def millis(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """Return an option's time in milliseconds since the epoch: a callback for click. A malformed one is an error."""
    try:
        return None if value is None else parse(value, now())
    except (ValueError, OverflowError):
        hint = "give one such as 2026-01-02T03:04:05Z, or an age such as 30m, 24h or 7d"
        raise click.BadParameter(f"{value!r} is no time; {hint}") from None


def since_option(command: Command) -> Command:
    """Add `--since TIME`: `since` is in milliseconds since the epoch, or None."""
    return click.option(
        "--since", metavar="TIME", callback=millis, help="Only since 2026-01-02T03:04:05Z, or an age such as 24h."
    )(command)


def before_option(command: Command) -> Command:
    """Add `--before TIME`: `before` is in milliseconds since the epoch, or None."""
    return click.option(
        "--before", metavar="TIME", callback=millis, help="Only before 2026-01-02T03:04:05Z, or an age such as 24h."
    )(command)
