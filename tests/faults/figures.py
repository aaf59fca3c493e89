"""Figures that a test notes by the fixture `figure`; tests/conftest.py prints them after the run."""

from collections.abc import Callable

Figure = Callable[[str], None]


def sentence(name: str) -> str:
    """Return a test's name as a sentence: `test_it_works[1]` is `it works[1]`."""
    return name.removeprefix("test_").replace("_", " ")
