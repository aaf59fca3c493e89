"""Both engines keep what the kit asks of every engine: what an author of another one writes too, with one more line.

What kills processes is in test_kill.py.
"""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from gateway.testing.check import Check, Cost
from gateway.testing.engine.suite import engine_checks
from gateway.testing.engine.under_test import postgresql, sqlite
from tests.kit.postgres.installation import debian

ON_DEBIAN = attrs.evolve(postgresql(debian), name="postgresql of debian")
"""The same on an older PostgreSQL, for what is most of its own there."""
TRIED_ON_DEBIAN = ("append/", "idempotency/", "moving/a round trip")


def checks() -> Iterator[Any]:
    for engine in (sqlite(), postgresql(), ON_DEBIAN):
        for check in engine_checks(engine):
            is_tried = engine is not ON_DEBIAN or check.name.startswith(TRIED_ON_DEBIAN)
            if is_tried and check.cost is not Cost.PROCESS:
                yield pytest.param(check, id=f"{engine}-{check}")


@pytest.mark.parametrize("check", list(checks()))
def test_an_engine_keeps_its_promises(check: Check) -> None:
    check.run()
