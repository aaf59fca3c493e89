"""Every promise that a dialect makes, tried on this one: the suite of the gateway."""

from pathlib import Path

import pytest
from gateway.testing import Check, dialect_checks, subject

CORPUS = Path(__file__).parent / "corpus" / "goatcounter"


@pytest.mark.parametrize("check", dialect_checks(subject("goatcounter", CORPUS)), ids=str)
def test_the_dialect_keeps_its_promises(check: Check) -> None:
    check.run()
