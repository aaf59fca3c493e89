"""Counts by minute and hour: where a count goes, and which buckets answer a question."""

from gateway.storage.buckets import HOUR, KEPT, MINUTE, covering, expired_before, minute_of, rows

NOW = 1_767_323_045
DAY = 86_400


def test_a_time_lies_in_the_minute_that_began_last() -> None:
    assert [minute_of(millis) for millis in (0, 59_999, 60_000, -1)] == [0, 0, 60, -60]


def test_a_count_is_added_to_its_minute_and_its_hour() -> None:
    counts = [((3540, "shop", "stored"), 2), ((3600, "shop", "stored"), 3), ((3660, "shop", "stored"), -1)]
    assert rows([*counts, ((3660, "shop", "received"), 0)]) == [
        (MINUTE, 3540, "shop", "stored", 2),
        (HOUR, 0, "shop", "stored", 2),
        (MINUTE, 3600, "shop", "stored", 3),
        (HOUR, 3600, "shop", "stored", 2),
        (MINUTE, 3660, "shop", "stored", -1),
    ]


def test_minutes_answer_for_two_days_and_hours_for_longer() -> None:
    assert covering(NOW - 90, NOW) == (MINUTE, (NOW - 90) // 60 * 60)
    assert covering(NOW - 2 * DAY, NOW) == (MINUTE, (NOW - 2 * DAY) // 60 * 60)
    assert covering(NOW - 2 * DAY - 1, NOW) == (HOUR, (NOW - 2 * DAY - 1) // 3600 * 3600)


def test_no_bucket_that_answers_is_expired() -> None:
    for span, kept in KEPT.items():
        assert covering(NOW - kept, NOW) == (span, (NOW - kept) // span * span)
        assert (NOW - kept) // span * span > expired_before(span, NOW)
