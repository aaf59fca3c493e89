"""The options that say which events a command reads, and the filter that they make."""

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar, get_args

import click

from gateway.cli.names import check_dialect, check_project
from gateway.cli.options import project_option
from gateway.cli.times import before_option, since_option
from gateway.dialect.event import EventType
from gateway.storage.read import EventFilter, LogReader, Position
from gateway.storage.store import Store

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    since_option,
    before_option,
    project_option,
    click.option("--dialect", help="Only this dialect."),
    click.option("--type", type=click.Choice(get_args(EventType)), help="Only this type."),
    click.option("--name", help="Only events of exactly this name."),
)


def filter_options(command: Command) -> Command:
    """Add `--since`, `--before`, `--project`, `--dialect`, `--type` and `--name`, which `event_filter` takes."""
    return reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), command)


async def event_filter(store: Store, **conditions: Any) -> EventFilter:
    """Return the filter of the options. Raises ClickException on a project or dialect that nothing names."""
    await check_project(conditions["project"], store)
    await check_dialect(conditions["dialect"], store)
    return EventFilter(**conditions)


def position_of(reader: LogReader, text: str | None) -> Position | None:
    """Return the position that `--after` names. A malformed one is a wrong use."""
    try:
        return None if text is None else reader.parse_position(text)
    except ValueError:
        hint = "give one that an export said"
        raise click.BadParameter(f"{text!r} is no position of this log; {hint}", param_hint="'--after'") from None
