"""What has come since a look at the counters: the best verdict of any item."""

import pytest

from gateway.operate.first_event import Arrived


def test_what_has_come_is_its_best_verdict() -> None:
    before = Arrived((1, 0, 2, 0, 0))
    assert Arrived.read(before.text) == before
    assert [Arrived(counts).since(before) for counts in ((1, 0, 2, 0, 0), (2, 1, 2, 0, 5), (1, 0, 1, 0, 5))] == [
        "waiting",
        "stored",
        "rejected",
    ]


@pytest.mark.parametrize("text", ["", "1", "a-b-c-d-e", "1-2-3-4--5", "1-" * 60 + "1"])
def test_a_text_that_was_not_written_is_not_read(text: str) -> None:
    assert Arrived.read(text) is None
