"""Every command in every page: those of the gateway exist with their options, all others are run or named here."""

import importlib.util
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from gateway.cli.main import main
from tests.docs.readme import ROOT, blocks
from tests.docs.test_links import PAGES

RUN_BY = {
    "README.md": "test_first_command.py",
    "docs/console.md": "test_console.py",
    "docs/corpus.md": "../testing/test_corpus_page.py",
    "docs/events.md": "../test_events_page.py",
    "docs/scale.md": "test_scale.py",
    "docs/writing-a-dialect.md": "test_writing_a_dialect.py",
    "docs/writing-an-engine.md": "test_writing_an_engine.py",
    "examples/cluster/README.md": "test_cluster.py",
    "examples/docker/README.md": "test_docker.py",
    "examples/goatcounter-dialect/README.md": "test_goatcounter.py",
    "examples/prometheus/README.md": "test_prometheus.py",
    "examples/systemd/README.md": "test_systemd.py",
}
"""The test that tries what a page shows; of the pages in docs/operate/ and docs/migrate/ all are run."""
FOLDERS = {
    "docs/operate/": "test_operate.py",
    "docs/migrate/": "test_migrate.py",
    "dialects/": "../test_events_page.py",
}
NO_TEST = {
    "CONTRIBUTING.md": "it is how the tests are run",
    "docs/performance.md": "it takes an hour",
    "docs/security.md": "it is how the tests are run",
    "docs/settings.md": "its commands are checked below",
    "docs/loss.md": "its commands are checked below",
}
ELSEWHERE = {
    *("docker", "systemctl", "journalctl", "useradd", "install", "ssh", "cd"),
    *("createuser", "createdb", "nginx", "sed", "echo", "set", "openssl"),
}
"""Programs that change the machine, or need another one: their arguments that name files are checked where there are
any."""
NAMED = {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in PAGES}
SHOWING = {name: text for name, text in NAMED.items() if re.search(r"^```[a-z]", text, re.MULTILINE)}


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command in the shell blocks of a page, without what it reads and writes."""
    for block in blocks("sh", text) + blocks("text", text):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if not set(word) <= set(";&|"):
                    words.append(word)
                    continue
                ends = [index for index, each in enumerate(words) if set(each) <= set("<>")]
                if words := words[: ends[0]] if ends else words:
                    yield words
                words = []


def gateway_arguments(words: list[str]) -> list[str] | None:
    """Return what follows `gateway` in a command, however it is reached; None if it is none of the gateway's."""
    for index, word in enumerate(words[:-1]):
        if word.rpartition("/")[2] == "gateway" and words[index + 1] in main.commands:
            return words[index + 1 :]
    assert words[0].rpartition("/")[2] != "gateway", words
    return None


def test_every_page_that_shows_something_to_type_has_a_test_that_names_it() -> None:
    there = {}
    for name in SHOWING:
        found = [test for folder, test in FOLDERS.items() if name.startswith(folder)]
        there[name] = RUN_BY.get(name) or NO_TEST.get(name) or (found[0] if found else None)
    assert [name for name, test in there.items() if test is None] == []
    for name, test in RUN_BY.items():
        text = (ROOT / "tests" / "docs" / test).read_text("utf-8")
        assert name.rpartition("/")[2] in text, (name, test)


@pytest.mark.parametrize("name", sorted(SHOWING))
def test_the_gateways_commands_of_a_page_and_their_options_are_there(name: str) -> None:
    for words in commands(SHOWING[name]):
        arguments = gateway_arguments(words)
        if arguments is None:
            continue
        context = click.Context(main)
        command: click.Command = main
        rest = arguments
        while isinstance(command, click.Group):
            step, found, rest = command.resolve_command(context, rest)
            assert found is not None, words
            command, context = found, click.Context(found, parent=context, info_name=step)
        parser = command.make_parser(context)
        parser.parse_args(args=list(rest))  # raises where an option is not there


@pytest.mark.parametrize("name", sorted(NO_TEST))
def test_what_is_typed_elsewhere_names_modules_and_folders_that_there_are(name: str) -> None:
    for words in commands(SHOWING[name]):
        program = words[0].rpartition("/")[2]
        if program in ("python", "python3") and words[1] == "-m":
            assert importlib.util.find_spec(words[2]) is not None, words
        elif program == "pytest":
            assert [word for word in words[1:] if "/" in word and not (ROOT / word).exists()] == []
        else:
            assert program in {"gateway", "pip", "ruff", "mypy", *ELSEWHERE}, words
