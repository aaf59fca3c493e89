"""The words for the window of a rate limit; the rate headers are in the corpus and in test_errors.py."""

import pytest

from dialects.appizer.limits import window_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (45, "45 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (300, "5 minutes"),
        (3600, "1 hour"),
        (7200, "2 hours"),
        (86400, "1 day"),
    ],
)
def test_a_window_is_worded_in_its_largest_whole_unit(seconds: int, text: str) -> None:
    assert window_text(seconds) == text
