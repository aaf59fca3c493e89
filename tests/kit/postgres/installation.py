"""The PostgreSQLs that tests run on, by name."""

import pytest

from gateway.testing.postgres.installation import Installation, NoPostgresError, packaged, wheel


def debian() -> Installation:
    """Return the newest PostgreSQL of Debian's packages; skip the test that needs it where there is none."""
    try:
        return packaged()
    except NoPostgresError as none:
        # For whoever runs the tests without it; .ci/run installs it, and fails on any skip.
        pytest.skip(str(none))


INSTALLATIONS = {"wheel": wheel, "debian": debian}
"""How each is found, by its name. What a test of both is parametrised over: see the fixture `database`."""
