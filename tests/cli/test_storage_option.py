"""`--storage URL` beside `--data DIR`: which store a command uses, and what it says of one that it cannot use."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway.cli.main import main
from tests.kit.serving import add_key, run

SECRET = "hunter2-not-to-be-printed"
NOWHERE = f"postgresql://me:{SECRET}@127.0.0.1:1/gateway"


def commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)
        else:
            yield (*names, name), command


def told(*arguments: str, **env: str) -> tuple[int, str, str]:
    done = run(*arguments, env=env)
    return done.returncode, done.stdout, done.stderr


def listed(*arguments: str, **env: str) -> list[str]:
    """Return the projects of the listed credentials."""
    code, out, err = told("keys", "list", "--json", *arguments, **env)
    assert (code, err) == (0, "")
    return [line.partition('"project":"')[2].partition('"')[0] for line in out.splitlines()]


@pytest.fixture
def stores(tmp_path: Path) -> tuple[str, str]:
    """Two data directories with a credential each, of the project `first` and of `second`."""
    for name in ("first", "second"):
        add_key(tmp_path / name, "tranthor", "write_key", f"trn_{name}-long-enough-for-a-key", project=name)
    return str(tmp_path / "first"), str(tmp_path / "second")


def test_every_command_that_takes_a_directory_takes_a_url() -> None:
    assert isinstance(main, click.Group)
    taking = {names: {option for each in command.params for option in each.opts} for names, command in commands(main)}
    assert [names for names, options in taking.items() if ("--data" in options) != ("--storage" in options)] == []
    assert len([names for names, options in taking.items() if "--storage" in options]) >= 15


def test_a_url_names_a_directory_too_and_a_flag_wins_over_the_environment_which_wins_over_the_file(
    stores: tuple[str, str], tmp_path: Path
) -> None:
    first, second = stores
    file = tmp_path / "gateway.toml"
    file.write_text(f'[storage]\nurl = "sqlite:{first}"\n')
    of_file = {"GATEWAY_CONFIG": str(file)}
    assert listed("--storage", f"sqlite:{first}") == ["first"]
    assert listed(**of_file) == ["first"]
    assert listed(**of_file, GATEWAY_DATA=second) == ["first"]
    assert listed(**of_file, GATEWAY_STORAGE=f"sqlite:{second}") == ["second"]
    assert listed("--data", second, **of_file) == ["second"]
    assert listed("--data", first, GATEWAY_STORAGE=f"sqlite:{second}") == ["first"]
    assert listed("--storage", f"sqlite:{first}", GATEWAY_STORAGE=f"sqlite:{second}") == ["first"]


def test_a_command_finds_the_store_in_the_file_that_it_is_given(stores: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'[storage]\nurl = "sqlite:{stores[0]}"\n')
    said = f"Error: {stores[0]} holds no events yet; is it the directory that `gateway serve --data` was given?\n"
    assert told("quarantine", "list", "--config", str(file)) == (1, "", said)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("--data", "a", "--storage", "sqlite:b"), "--data and --storage exclude each other"),
        (("--storage", ""), "Invalid value for '--storage': the URL is empty"),
    ],
)
@pytest.mark.parametrize("command", [("events", "count"), ("serve",)], ids=" ".join)
def test_two_places_or_an_empty_one_are_a_wrong_use(
    command: tuple[str, ...], arguments: tuple[str, ...], wrong: str
) -> None:
    code, out, err = told(*command, *arguments)
    assert (code, out, err.splitlines()[-1]) == (2, "", f"Error: {wrong}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:", "the storage URL sqlite: names no directory; write sqlite:DIR"),
        (
            "oracle://me:hunter2@there/x",
            "no storage engine for a URL 'oracle'; a URL begins with one of postgres:, postgresql:, sqlite:",
        ),
        (
            "hunter2",
            "no storage engine for a URL without a scheme; a URL begins with one of postgres:, postgresql:, sqlite:",
        ),
    ],
)
def test_a_url_of_no_engine_is_told_in_one_line_without_what_may_be_secret(url: str, said: str) -> None:
    assert told("events", "count", "--storage", url) == (1, "", f"Error: {said}\n")


def test_check_config_says_so_too(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[storage]\nurl = "sqlite:"\n')
    said = "Error: the storage URL sqlite: names no directory; write sqlite:DIR\n"
    assert told("check-config", str(file)) == (1, "", said)


@pytest.mark.parametrize(
    "command",
    [
        *("serve --port 0", "serve --port 0 --workers 2", "events count", "events export", "events tail -n 1"),
        *("outcomes", "quarantine list", "quarantine list --rejected", "quarantine replay --all", "quarantine drop 1"),
        *("receipt 1", "keys list", "keys add --dialect tranthor", "admin-token", "events retranslate"),
    ],
)
def test_a_database_that_is_not_there_is_one_line_without_its_password_and_makes_no_directory(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = told(*command.split(), GATEWAY_STORAGE=NOWHERE)
    assert (code, out) == (1, "")
    assert err.startswith("Error: cannot use postgresql://me@127.0.0.1:1/gateway: ")
    assert (err.count("\n"), SECRET in err, os.listdir(tmp_path)) == (1, False, [])
