"""All installed dialects, for tests that hold for each of them, and what the folders of their tests have to say."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from gateway.ingest.registry import discover
from gateway.testing import Subject, subject

TESTS = Path(__file__).parents[1]


@cache
def subjects() -> Mapping[str, Subject]:
    """Return every dialect with its corpus, by name."""
    return {each.name: subject(each.name, TESTS / "corpus" / each.name, each) for each in discover()}


def modules(name: str) -> Mapping[str, ModuleType]:
    """Return the modules tests/dialects/<dialect>/<name>.py, by dialect. A dialect need not have one."""
    dialects = [file.parent.name for file in sorted((TESTS / "dialects").glob(f"*/{name}.py"))]
    return {dialect: import_module(f"tests.dialects.{dialect}.{name}") for dialect in dialects}
