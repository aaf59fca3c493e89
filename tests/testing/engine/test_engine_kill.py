"""An engine that loses what it acknowledged, or keeps half of a request, is caught when its writer is killed."""

import pytest

from gateway.testing.check import Failure
from tests.testing.engine.wrong_engines import check_of

KILL = "kill/what was acknowledged outlives a kill and its retry is a duplicate"


@pytest.mark.usefixtures("wrong_engines")
@pytest.mark.parametrize(
    ("scheme", "wrong"),
    [
        ("toy-answers-first", "what was acknowledged and is lost, or is there more than once"),
        ("toy-commits-half", "requests of which one event is there, and the other is lost"),
    ],
)
def test_a_mistake_is_caught(scheme: str, wrong: str) -> None:
    with pytest.raises(Failure) as caught:
        check_of(scheme, KILL).run()
    assert wrong in caught.value.wrong
    assert caught.value.remedy == (
        "answer an entry after its commit is on disk, never before it; commit its rows, keys, receipt and counters in "
        "one transaction; open a store that was killed as it is"
    )
