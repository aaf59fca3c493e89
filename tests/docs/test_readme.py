"""The README and the pages of lists: commands are typed, what is listed is compared with the code."""

import contextlib
import json
import re
import shlex
import sqlite3
from pathlib import Path

import click
import pytest

from gateway.cli.main import main
from gateway.ingest.registry import discover, install
from tests.docs.expectations import expected_event
from tests.docs.readme import (
    FIRST_SCREEN,
    README,
    ROOT,
    blocks,
    code,
    curl_lines,
    paste,
    rows,
    section,
    setup_cfg,
)
from tests.kit.of_dialects import modules, subjects
from tests.kit.serving import run, serving

COMMANDS = (ROOT / "docs" / "commands.md").read_text("utf-8")
DIALECTS = (ROOT / "docs" / "dialects.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
DIALECT_PAGES = sorted((ROOT / "dialects").glob("*/README.md"))


def requirements(text: str) -> set[str]:
    return {re.split(r"[<>=~!\[; ]", line)[0] for line in text.splitlines() if line}


# The first screen


def test_the_first_screen_has_two_commands_each_on_one_line() -> None:
    install_and_start, install_and_test = blocks("sh", FIRST_SCREEN)
    assert [command.count("\n") for command in (install_and_start, install_and_test)] == [1, 1]
    assert install_and_start.startswith("python3 -m venv ")
    assert "/gateway serve " in install_and_start
    assert install_and_test.startswith("python3 -m venv ")
    assert install_and_test.endswith("/pytest\n")


def test_ci_finds_the_test_command_and_it_alone() -> None:
    assert "sed -n '/^python3 -m venv .*pytest/p' README.md" in (ROOT / ".ci" / "run").read_text("utf-8")
    found = [line for line in README.splitlines() if re.match("python3 -m venv .*pytest", line)]
    assert found == [blocks("sh", FIRST_SCREEN)[1].strip()]


def test_the_first_screen_says_that_https_needs_a_proxy_and_where_one_is() -> None:
    assert "https" in FIRST_SCREEN
    assert "(examples/nginx.conf)" in FIRST_SCREEN


# What a start prints


def test_each_curl_line_of_the_first_start_stores_an_event(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        for number, line in enumerate(curl_lines(served.greeting), 1):
            done = paste(line)
            assert (done.returncode, len(served.events())) == (0, number), done
        events = {event["dialect"]: event for event in served.events()}
        assert served.stop() == 0
    assert list(events) == [dialect.name for dialect in discover()]
    assert {event["project"] for event in events.values()} == {"default"}
    meant = {name: each.FACTS for name, each in modules("first_event").items()}
    assert {name: events[name] for name in meant} == {
        name: expected_event(events[name], project="default", dialect=name, **facts) for name, facts in meant.items()
    }


def test_the_first_start_gives_each_dialect_a_credential_a_setting_and_a_curl_line_and_the_next_none(
    tmp_path: Path,
) -> None:
    greetings, urls = [], []
    for _ in range(2):
        with serving(tmp_path / "data") as served:
            greetings.append(served.greeting)
            urls.append(served.url)
            assert served.stop() == 0
    found = re.findall(r"^(\w+) \((\w+): (\S+)\)\n((?: .+\n)+)", greetings[0], re.MULTILINE)
    given = {title: (kind, value, {line.strip() for line in below.splitlines()}) for title, kind, value, below in found}
    for dialect in discover():
        kind, value, lines = given.pop(dialect.title)
        filled = {each.replace("{url}", urls[0]).replace("{value}", value) for each in (dialect.setting, dialect.curl)}
        assert (kind, filled - lines) == (dialect.kinds[0].name, set())
    assert (given, greetings[1]) == ({}, f"{urls[1]}\n")


# What docs/commands.md, docs/dialects.md and CONTRIBUTING.md list


def listed() -> dict[str, set[str]]:
    """Return the README's commands, each with its own."""
    commands: dict[str, set[str]] = {}
    for line in blocks("", COMMANDS)[0].splitlines():
        first, *others = [part.split() for part in re.sub(r" *(\[|--|[A-Z]).*", "", line).split("|")]
        assert first.pop(0) == "gateway"
        if len(first) == 2:
            commands[first[0]] = {first[1], *(other for [other] in others)}
        else:
            commands.update({name: set() for [name] in (first, *others)})
    return commands


def test_its_commands_are_those_that_there_are() -> None:
    there = {
        name: set(command.commands) if isinstance(command, click.Group) else set()
        for name, command in main.commands.items()
    }
    assert listed() == there


def test_it_names_each_option_of_serve() -> None:
    [line] = re.findall(r"^gateway serve .*$", COMMANDS, re.MULTILINE)
    assert re.findall(r"--[\w-]+", line) == [option for each in main.commands["serve"].params for option in each.opts]


def test_it_is_one_screen_and_links() -> None:
    assert len(README.splitlines()) < 80


def test_it_links_to_every_page_of_the_documentation() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    pages |= {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs/contracts/README.md"}
    assert pages - set(re.findall(r"\]\(([^)#]+)", README)) == set()


def test_its_query_can_be_asked(tmp_path: Path) -> None:
    [query] = [each for each in code(COMMANDS) if each.startswith("select ")]
    with serving(tmp_path / "data") as served:
        assert paste(curl_lines(served.greeting)[0]).returncode == 0
        assert served.stop() == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "events.db")) as file:
        assert file.execute(query).fetchall() == [("purchase_completed", 1)]


def test_a_key_is_taken_over_as_it_says(tmp_path: Path) -> None:
    [command] = [each for each in code(DIALECTS) if each.endswith("--value-stdin")]
    words = shlex.split(command.replace("--data data", f"--data {shlex.quote(str(tmp_path / 'data'))}"))
    assert words.pop(0) == "gateway"
    (tmp_path / "data").mkdir()  # which the first start makes
    done = run(*words, "--json", stdin="ak_as_it_was\n")
    assert (done.returncode, json.loads(done.stdout)["value"]) == (0, "ak_as_it_was")


def test_the_endpoints_and_kinds_of_its_table_are_those_dialects() -> None:
    in_table = {}
    for vendor, endpoints, credentials in rows(section("The dialects that come with it", DIALECTS)):
        name = re.sub(r"\[(\w+)\].*", r"\1", vendor)
        paths = {path for each in code(endpoints) if each.startswith("/") for path in unfolded(each)}
        in_table[name] = (paths, code(credentials))
    there = {
        each.dialect.title: (
            {path for route in each.routes for path in route.paths},
            [kind.name for kind in each.dialect.kinds],
        )
        for each in install(discover(), {})
    }
    assert len(in_table) > 1
    for title, (named, words) in in_table.items():
        paths, kinds = there[title]
        assert named - paths == set()
        assert [word for word in words if word in kinds] == kinds


def unfolded(path: str) -> list[str]:
    """Return the paths that `/a/{b,c}` stands for."""
    before, _, rest = path.partition("{")
    inside, _, after = rest.partition("}")
    return [f"{before}{each}{after}" for each in inside.split(",")]


def test_its_dependency_table_is_that_of_setup_cfg() -> None:
    reasons = {name: why for names, why in rows(section("Dependencies", CONTRIBUTING)) for name in names.split(", ")}
    setup = setup_cfg()
    extras = setup["options.extras_require"]
    runtime = requirements(
        setup["options"]["install_requires"]
        + "".join(extras[name] for name in ("archive", "bots", "compress", "postgres"))
    )
    test = requirements(extras["test"])
    assert ({name for name, why in reasons.items() if why != "tests only"}, set(reasons)) == (runtime, runtime | test)


# The dialects' pages


@pytest.mark.parametrize("page", DIALECT_PAGES, ids=lambda page: page.parent.name)
def test_the_cases_that_a_dialects_page_names_are_there(page: Path) -> None:
    cases = ROOT / "tests" / "corpus" / page.parent.name
    named = [
        word for word in code(page.read_text("utf-8")) if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]*){4,}(\.\.\.)?", word)
    ]
    assert named != []
    assert [word for word in named if not [*cases.glob(f"{word.replace('...', '*')}.json")]] == []


@pytest.mark.parametrize("name", subjects())
def test_a_dialects_page_has_each_of_its_routes_and_kinds(name: str) -> None:
    page, installed = (ROOT / "dialects" / name / "README.md").read_text("utf-8"), subjects()[name].installed
    paths = {word.rpartition(" ")[2] for word in code(section("Endpoints", page))}
    unnamed = [
        route.name
        for route in installed.routes
        if not any(path in paths or f"/{path.rpartition('/')[2]}" in paths - {"/"} for path in route.paths)
    ]
    kinds = set(code(section("Credentials", page)))
    assert (unnamed, installed.kinds.keys() - kinds) == ([], set())
