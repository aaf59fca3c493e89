"""The fixture `store`: what every engine promises is tested on an empty store of each."""

import pytest

from gateway.datadir import make
from gateway.storage.engines import open_store
from gateway.storage.store import Store


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest) -> Store:
    """An empty store that is ready to be written."""
    if request.param == "sqlite":
        found = open_store(f"sqlite:{make(request.getfixturevalue('tmp_path') / 'data').path}")
    else:
        found = open_store(request.getfixturevalue("prepared"))
    await found.prepare()
    return found
