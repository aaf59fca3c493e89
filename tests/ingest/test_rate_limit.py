import pytest

from gateway.dialect.outcome import Quota, Reason, Refusal
from gateway.ingest.rate_limit import MAX_BUCKETS, Limit, MemoryLimiter

NOW = 1_767_323_045_000


def refused(limiter: MemoryLimiter, key: str, now: int) -> Refusal:
    with pytest.raises(Refusal) as caught:
        limiter.take(key, now)
    return caught.value


def test_a_full_bucket_admits_as_many_as_the_limit_says_and_then_refuses() -> None:
    limiter = MemoryLimiter(Limit(requests=2, seconds=60))
    assert [limiter.take("a", NOW), limiter.take("a", NOW)] == [
        Quota(2, 1, NOW // 1000 + 30),
        Quota(2, 0, NOW // 1000 + 60),
    ]
    refusal = refused(limiter, "a", NOW)
    assert (refusal.reason, refusal.detail, refusal.retry_after, refusal.quota) == (
        Reason.LIMITED,
        {"limit": 2, "window": 60},
        30,
        Quota(2, 0, NOW // 1000 + 60),
    )


def test_waiting_as_long_as_it_was_told_is_enough() -> None:
    limiter = MemoryLimiter(Limit(requests=3, seconds=10))
    for _ in range(3):
        limiter.take("a", NOW)
    wait = refused(limiter, "a", NOW).retry_after
    assert wait == 4
    assert limiter.take("a", NOW + 4000) == Quota(3, 0, NOW // 1000 + 14)


def test_a_moment_too_early_is_refused_and_costs_nothing() -> None:
    limiter = MemoryLimiter(Limit(requests=1, seconds=2))
    limiter.take("a", NOW)
    assert [refused(limiter, "a", NOW + late).retry_after for late in (0, 999, 1999)] == [2, 2, 1]
    assert limiter.take("a", NOW + 2000) == Quota(1, 0, NOW // 1000 + 4)


def test_a_bucket_never_holds_more_than_the_limit() -> None:
    limiter = MemoryLimiter(Limit(requests=2, seconds=2))
    limiter.take("a", NOW)
    assert limiter.take("a", NOW + 3_600_000) == Quota(2, 1, NOW // 1000 + 3601)


def test_a_clock_that_jumps_back_gives_nothing_away_and_takes_nothing() -> None:
    limiter = MemoryLimiter(Limit(requests=2, seconds=2))
    limiter.take("a", NOW)
    assert limiter.take("a", NOW - 60_000).remaining == 0


def test_credentials_do_not_share_a_bucket() -> None:
    limiter = MemoryLimiter(Limit(requests=1))
    assert [limiter.take(key, NOW).remaining for key in ("a", "b")] == [0, 0]


def test_the_bucket_that_was_used_longest_ago_is_forgotten_first() -> None:
    limiter = MemoryLimiter(Limit(requests=1, seconds=3600))
    for number in range(MAX_BUCKETS):
        limiter.take(str(number), NOW)
    refused(limiter, "0", NOW)
    limiter.take("one more", NOW)
    refused(limiter, "0", NOW)
    assert limiter.take("1", NOW).remaining == 0


@pytest.mark.parametrize("wrong", [{"requests": 0}, {"requests": -1}, {"requests": 1, "seconds": 0}])
def test_a_limit_of_nothing_is_no_limit(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        Limit(**wrong)
