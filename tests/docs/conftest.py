"""The shells in which the tests type the commands of the documentation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.shell import shells


@pytest.fixture(scope="session")
def forked_gateway() -> Iterator[Path]:
    """A folder for PATH: its `gateway` is forked, in a tenth of the time that a new Python takes."""
    with shells() as found:
        yield found
