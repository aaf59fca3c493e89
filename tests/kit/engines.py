"""The fixtures `url` and `module_url`: an empty store of each engine, by its URL, for tests of what both promise.

tests/conftest.py loads them. A test that asks for one runs twice, with the ids `sqlite` and `postgres`:

    def test_something_holds(url: str) -> None:
        assert run("events", "count", "--storage", url).stdout == "0\\n"

What differs: a line of PostgreSQL has the values of the event, in another order and spelling (compare what `parsed`
gives), and its positions are texts (take them from `events_of`, or from a command).
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.datadir import make
from tests.kit.postgres.fixtures import with_tables

ENGINES = ("sqlite", "postgres")


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store of this test's own."""
    with _store(request, tmp_path) as found:
        yield found


@pytest.fixture(scope="module", params=ENGINES)
def module_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a store that all tests of a module share."""
    with _store(request, tmp_path_factory.mktemp("store")) as found:
        yield found


@contextlib.contextmanager
def _store(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "postgres":
        with with_tables(request.getfixturevalue("clusters")("wheel")) as database:
            yield database
    else:
        yield f"sqlite:{make(folder / 'data').path}"


def parsed(lines: str | bytes) -> list[Any]:
    """Return the values of lines of JSON."""
    return [json.loads(line) for line in lines.splitlines()]
