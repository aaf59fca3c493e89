"""The parts of the README: its blocks, sections, tables and lines to type; and what the first start prints."""

import configparser
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.docs.expectations import PATIENCE, program

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
FIRST_SCREEN = "\n".join(README.splitlines()[:40])


def blocks(language: str, text: str = README) -> list[str]:
    """Return the contents of the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(title: str, text: str = README) -> str:
    """Return what stands under a heading."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return a table's cells, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(text: str) -> list[str]:
    """Return what stands between backticks in running text and tables."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def curl_lines(greeting: str) -> list[str]:
    """Return the `curl` lines that the first start prints."""
    return re.findall(r"^ +(curl .+)$", greeting, re.MULTILINE)


def paste(line: str, folder: Path = ROOT, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell."""
    program("curl")
    return subprocess.run(
        ["sh"], input=f"{line}\n", cwd=folder, env=env, text=True, capture_output=True, timeout=PATIENCE, check=False
    )


def setup_cfg() -> configparser.ConfigParser:
    """Return setup.cfg."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    return setup


def entry_points(text: str) -> dict[str, dict[str, str]]:
    """Return entry points by group."""
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read_string(text)
    return {group: dict(parser[group]) for group in parser.sections()}
