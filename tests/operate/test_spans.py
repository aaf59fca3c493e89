"""The steps that an overview is divided into."""

import pytest

from gateway.operate.overview.spans import SPANS
from gateway.storage.buckets import KEPT

NOW = 1_767_323_045  # 2026-01-02T03:04:05Z


@pytest.mark.parametrize(
    ("name", "first", "last", "count", "seconds"),
    [
        ("hour", 1_767_319_500, 1_767_323_040, 60, 3600),  # from 02:05 to 03:04
        ("day", 1_767_236_700, 1_767_322_800, 288, 86_400),  # from 03:05 to 03:00
        ("month", 1_764_741_600, 1_767_312_000, 120, 30 * 86_400),
    ],
)
def test_a_span_ends_with_the_step_that_now_lies_in(name: str, first: int, last: int, count: int, seconds: int) -> None:
    span = SPANS[name]
    starts = span.starts(NOW)
    assert (starts[0], starts[-1], len(starts), span.step * span.steps) == (first, last, count, seconds)
    assert starts[-1] <= NOW < starts[-1] + span.step
    assert span.starts(starts[-1]) == span.starts(starts[-1] + span.step - 1) == starts


def test_the_counters_of_a_span_are_kept_as_long_as_it_lasts() -> None:
    for span in SPANS.values():
        assert span.step * (span.steps + 1) < KEPT[span.bucket]
        assert span.step % span.bucket == 0
