"""docs/console.md: its configuration is read, its commands and paths are there."""

import re
import tomllib

import click

from gateway.cli.main import main
from gateway.config import load
from gateway.console.api_document import document
from gateway.console.application import PAGES
from gateway.console.page import NAVIGATION
from tests.docs.readme import ROOT, blocks, rows

PAGE = (ROOT / "docs" / "console.md").read_text("utf-8")


def test_its_configuration_is_one() -> None:
    [settings] = blocks("toml", PAGE)
    named = tomllib.loads(settings)["server"]
    texts = {key: value if isinstance(value, str) else ",".join(value) for key, value in named.items()}
    variables = {f"GATEWAY_{key.upper()}": text for key, text in texts.items()}
    server = load(environ=variables).server
    assert (server.console_hosts, server.public_url) == (tuple(named["console_hosts"]), named["public_url"])
    assert [str(each) for each in server.trusted_proxies] == ["127.0.0.1/32"]


def test_its_commands_are_those_of_the_gateway() -> None:
    typed = re.findall(r"^gateway (serve|console) ([^#\n]*)", "\n".join(blocks("sh", PAGE)), re.MULTILINE)
    assert [name for name, _ in typed] == ["serve", "serve", "console", "console"]
    for name, arguments in typed:
        command: click.Command = main.commands[name]
        command.make_context(name, arguments.split())


def test_its_table_has_every_page_and_its_paths_are_documented() -> None:
    assert [row[0] for row in rows(PAGE)] == [title for _path, title in NAVIGATION]
    paths = set(re.findall(r"http://127\.0\.0\.1:8081(/api/\w+)", PAGE))
    assert (paths - document(PAGES)["paths"].keys(), bool(paths)) == (set(), True)
