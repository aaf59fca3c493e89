"""Options that several commands share, and what they stand for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.config import data_directory
from gateway.datadir import DataDir, find

Command = TypeVar("Command", bound=Callable[..., Any])
NUMBER = click.IntRange(1, (1 << 63) - 1)  # what SQLite can hold


def numbers_argument(command: Command) -> Command:
    """Add `ID...`, the numbers of items; each counts once, however often it is given."""
    return click.argument("numbers", metavar="ID...", nargs=-1, type=NUMBER, callback=_once)(command)


def data_option(command: Command) -> Command:
    """Add `--data DIR`."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The data directory [default: GATEWAY_DATA or ./data].",
    )(command)


def project_option(command: Command) -> Command:
    """Add `--project P`, which narrows what is shown."""
    return click.option("--project", help="Only this project's.")(command)


def config_option(command: Command) -> Command:
    """Add `--config FILE`: what the dialects' switches are set to."""
    return click.option(
        "--config", type=click.Path(path_type=Path), help="The server's TOML file [default: GATEWAY_CONFIG]."
    )(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """Add `--format F`; the first is the default."""
    return click.option("--format", "form", default=formats[0], show_default=True, callback=_known(formats))


def log_of(data: Path | None) -> DataDir:
    """Return the data directory that a command reads. Raises DataDirError where it holds no events yet."""
    return find(data_directory(data))


def _once(_context: click.Context, _parameter: click.Parameter, numbers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))


def _known(formats: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], str]:
    def check(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
        if value not in formats:
            raise click.ClickException(f"there is no format {value!r}; there is: {', '.join(formats)}")
        return value

    return check
