"""Options and arguments that several commands share, and the checks of their values."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.config import storage_url
from gateway.storage.engines import open_store
from gateway.storage.store import Store

Command = TypeVar("Command", bound=Callable[..., Any])
NUMBER = click.IntRange(1, (1 << 63) - 1)  # what SQLite can hold


class GivenPath(click.Path):
    """A path that is not empty: pathlib takes an empty one, such as that of a variable that is not set, for `.`.

    It takes `./-` for `-` too, which stands for standard output; so that path is made absolute.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path. Fails on an empty one."""
        if value == "":
            self.fail("the path is empty", param, ctx)
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        return path.absolute() if str(path) == "-" != str(value) else path


def numbers_argument(command: Command) -> Command:
    """Add `ID...`: the ids of quarantined items or rejected requests. An id that is given twice counts once."""
    return click.argument("numbers", metavar="ID...", nargs=-1, type=NUMBER, callback=_once)(command)


def place_options(command: Command) -> Command:
    """Add `--data DIR` and `--storage URL`, of which `check_place` allows one."""
    data = click.option(
        "--data",
        type=GivenPath(path_type=Path),
        metavar="DIR",
        help="The data directory [default: GATEWAY_DATA or ./data].",
    )
    storage = click.option(
        "--storage",
        metavar="URL",
        help="The store, in place of --data: sqlite:DIR or postgresql://... [default: GATEWAY_STORAGE].",
    )
    return data(storage(command))


def check_place(data: Path | None, storage: str | None) -> None:
    """Raise UsageError on two places of the store, or on a URL that is empty, such as that of a variable not set."""
    if data is not None and storage is not None:
        raise click.UsageError("--data and --storage exclude each other")
    if storage == "":
        raise click.BadParameter("the URL is empty", param_hint="'--storage'")


def store_option(command: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Add `--data` and `--storage`, and run the command, which is asynchronous, with the `store` that they name.

    A command that takes `--config` finds the store's URL in that file too.
    """

    @wraps(command)
    def run(data: Path | None, storage: str | None, **options: Any) -> None:
        check_place(data, storage)
        store: Store = open_store(storage_url(data, storage, options.get("config")))
        asyncio.run(command(store=store, **options))

    return place_options(run)


def project_option(command: Command) -> Command:
    """Add `--project P`, which narrows what is shown. The command checks the name by `names.check_project`."""
    return click.option("--project", help="Only this project.")(command)


def config_option(command: Command) -> Command:
    """Add `--config FILE`: the server's settings, of which commands need the dialects' switches."""
    return click.option(
        "--config", type=GivenPath(path_type=Path), help="The server's TOML file [default: GATEWAY_CONFIG]."
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """Add `--format F`; the first of the formats is the default."""
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="The output format."
    )


def filtered_option(command: Command) -> Command:
    """Add `--filtered`."""
    return click.option("--filtered", is_flag=True, help="Filtered items instead of quarantined ones.")(command)


def rejected_option(command: Command) -> Command:
    """Add `--rejected`, and `--refused`, its name from before 0.2, which the help does not show."""
    option = click.option(
        "--rejected", "of_rejected", is_flag=True, help="Requests that were answered with an error instead."
    )
    old_name = click.option("--refused", "of_rejected", is_flag=True, hidden=True)
    return option(old_name(command))


def _once(_context: click.Context, _parameter: click.Parameter, numbers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))
