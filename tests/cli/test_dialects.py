import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway import __version__
from gateway.cli.main import main
from gateway.ingest.registry import discover
from tests.kit.serving import run

NAMES = tuple(dialect.name for dialect in discover())


def told(*arguments: str) -> tuple[int, str, str]:
    done = run(*arguments)
    return done.returncode, done.stdout, done.stderr


def test_the_version_is_the_packages() -> None:
    assert told("--version") == (0, f"gateway, version {__version__}\n", "")


def test_every_command_explains_itself() -> None:
    commands = ["serve", "keys", "events", "quarantine", "dialects", "schemas", "check-config", "admin-token"]
    for path in [[], *[[command] for command in commands], ["keys", "add"], ["events", "export"]]:
        code, out, err = told(*path, "--help")
        assert (path, code, err, out.startswith("Usage: ")) == (path, 0, "", True)


def every_command(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from every_command(command)


def test_no_line_of_a_groups_help_is_cut_off() -> None:
    lines = {command.name: command.short_help for command in every_command(main)}
    assert {name: line for name, line in lines.items() if not line or len(line) > 45 or not line.endswith(".")} == {}


def test_an_option_with_an_old_name_shows_only_the_new_one() -> None:
    code, out, err = told("quarantine", "list", "--help")
    assert (code, err, "--rejected " in out, "--refused" in out) == (0, "", True, False)


def test_an_unknown_command_exits_2() -> None:
    code, out, err = told("serv")
    assert (code, out, "No such command 'serv'" in err) == (2, "", True)


def test_dialects_shows_each_with_its_endpoints_and_kinds() -> None:
    code, out, err = told("dialects")
    rows = [line.split() for line in out.splitlines() if line.strip()]
    assert (code, err, rows[0]) == (0, "", ["dialect", "endpoints", "kinds", "scopes", "switches"])
    assert [row[0] for row in rows if row[0] in NAMES] == list(NAMES)
    for said in ("POST /v1/events", "POST /api/v1/track", "GET /px.jpg", "POST /api/public/apps/batch"):
        assert f" {said} " in out
    for said in ("website (public)", "app (public)", "write_key", "write:llm", "strict_batches: "):
        assert said in out


def test_dialects_are_also_json() -> None:
    found = []
    for command in (("dialects", "--json"), ("dialects", "list", "--json")):
        code, out, err = told(*command)
        assert (code, err) == (0, "")
        found.append([json.loads(line) for line in out.splitlines()])
    listed = {each["dialect"]: each for each in found[0]}
    assert (found[0] == found[1], list(listed)) == (True, list(NAMES))
    assert listed["appizer"] == {
        "dialect": "appizer",
        "endpoints": listed["appizer"]["endpoints"],
        "kinds": [{"name": "api_key", "public": False}, {"name": "app", "public": True}],
        "scopes": ["read", "write"],
        "switches": listed["appizer"]["switches"],
    }
    assert "POST /v1/events" in listed["appizer"]["endpoints"]
    assert list(listed["appizer"]["switches"]) == ["coerce_ids"]
    code, out, err = told("dialects", "--json", "routes")
    assert (code, out, err.splitlines()[-1]) == (2, "", "Error: write --json after routes")


def test_schemas_lists_names_that_schemas_prints() -> None:
    code, out, err = told("schemas")
    names = out.splitlines()
    assert (code, err) == (0, "")
    assert {name.partition("/")[0] for name in names} == {"canonical", *NAMES}
    for name in ("canonical/event", next(name for name in names if name.startswith("databuddy/"))):
        code, out, err = told("schemas", name)
        assert (code, err, json.loads(out)["$schema"]) == (0, "", "https://json-schema.org/draft/2020-12/schema")


def test_an_unknown_schema_is_told_in_one_line() -> None:
    said = "Error: there is no schema 'canonical/evnt'; did you mean canonical/event?\n"
    assert told("schemas", "canonical/evnt") == (1, "", said)


def test_check_config_prints_every_error_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[server]\nport = '80'\nworkers = 0\n[limits.tranthro]\nrequests = 1\n")
    expected = (
        f"Error: {file}: server.port: must be an integer, not '80'\n"
        f"Error: {file}: server.workers: must be from 1 to 256, not 0\n"
        f"Error: {file}: limits.tranthro: no dialect is named 'tranthro'; did you mean tranthor?\n"
    )
    assert told("check-config", str(file)) == (1, "", expected)


def test_check_config_says_good_or_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[dialects.tranthor]\nstrict_batches = true\n")
    assert told("check-config", str(file)) == (0, f"{file}: good\n", "")
    file.write_text("[dialects.tranthor]\nstrict_batch = true\n")
    said = f"Error: {file}: dialects.tranthor.strict_batch: unknown key; did you mean strict_batches?\n"
    assert told("check-config", str(file)) == (1, "", said)
    file.unlink()
    said = f"Error: {file}: cannot be read: No such file or directory\n"
    assert told("check-config", str(file)) == (1, "", said)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = " + "[" * 100_000, "is nested too deeply"),
        ("a = " + "9" * 5000, "is not TOML: Exceeds the limit (4300 digits) for integer string conversion: "),
        ("# " + "x" * 5_000_000, "is larger than a configuration can be (4194304 bytes)"),
    ],
)
def test_a_file_that_no_parser_takes_is_told_in_one_line(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    code, out, err = told("check-config", str(file))
    assert (code, out, err.count("\n"), err.startswith(f"Error: {file}: {problem}")) == (1, "", 1, True), err


def test_check_config_tells_what_is_wrong_with_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[server]\nport = 80\n")
    environ = {"GATEWAY_WORKERS": "0", "GATEWAY_LOG_LEVEL": "inof"}
    done = run("check-config", str(file), env=environ)
    level = "GATEWAY_LOG_LEVEL: 'inof' is no value of level; did you mean info?"
    problem = f"{level}; GATEWAY_WORKERS: must be from 1 to 256, not 0"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: environment: {problem}\n")
    done = run("check-config", str(file), env={"GATEWAY_WORKERS": "2", "GATEWAY_LOG_LEVEL": "INFO"})
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{file}: good\n", "")


def test_serve_refuses_what_cannot_be_served_before_it_makes_anything(tmp_path: Path) -> None:
    file, data = tmp_path / "gateway.toml", tmp_path / "data"
    file.write_text("[limits.tranthro]\nrequests = 1\n")
    said = f"Error: {file}: limits.tranthro: no dialect is named 'tranthro'; did you mean tranthor?\n"
    assert told("serve", "--data", str(data), "--config", str(file)) == (1, "", said)
    code, out, err = told("serve", "--data", str(data), "--port", "70000")
    assert (code, out, err.splitlines()[-1]) == (
        2,
        "",
        "Error: Invalid value for '--port': 70000 is not in the range 0<=x<=65535.",
    )
    assert not data.exists()
