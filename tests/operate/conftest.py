"""The fixture `storage`: what operators are told over HTTP and by commands is tested on each engine."""

import pytest


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest) -> str | None:
    """The `storage` of `serving`: the URL of an empty database, or None for a data directory."""
    return None if request.param == "sqlite" else str(request.getfixturevalue("database"))
