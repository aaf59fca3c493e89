"""Times on the command line: RFC 3339, or an age such as 24h. Every option that takes a time uses them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gateway.clock import now
from gateway.keys.expiry import Expiry
from gateway.operate.credentials import expiry as expiries
from gateway.operate.times import HINT, parse

Command = TypeVar("Command", bound=Callable[..., Any])


def millis(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """Return an option's time in milliseconds since the epoch: a callback for click. A malformed one is an error."""
    try:
        return None if value is None else parse(value, now())
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{value!r} is no time; {HINT}") from None


def expiry(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Expiry | None:
    """Return when a credential is to end: a callback for click. A malformed time is an error."""
    try:
        return None if value is None else expiries.parse(value, now())
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{value!r} is no time; {expiries.HINT}") from None


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
