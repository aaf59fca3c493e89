"""What HTTP workers share in memory: sums that never go back, and rate limits that hold over all of them."""

import os
from collections.abc import Iterator

import attrs
import pytest

from gateway.dialect.outcome import Outcome, Quota, Reason, Refusal, Verdict
from gateway.http.handler import RequestHead
from gateway.ingest.preflights import GRACE, Preflights
from gateway.ingest.rate_limit import Limit, Limiter, MemoryLimiter
from gateway.workers.shared_limits import SharedLimiter
from gateway.workers.shared_memory import SharedFile, SharedMeter

NOW = 1_767_323_045_000
STORED = (Outcome(Verdict.STORED, "id"),)


@pytest.fixture
def file() -> Iterator[SharedFile]:
    with SharedFile.create(http_workers=2, limits=1) as created:
        yield created


def reported(meter: SharedMeter) -> dict[str, float]:
    """What was counted, without what is still 0 and what processes say of themselves."""
    return {
        ",".join([sample.name, *sample.labels.values()]): sample.value
        for family in meter.collect()
        for sample in family.samples
        if sample.value and not family.name.startswith("python_")
    }


def test_every_worker_reports_the_sums_over_all(file: SharedFile) -> None:
    first, second = SharedMeter(file, 0), SharedMeter(file, 1)
    first.accepted("acme", STORED)
    second.accepted("acme", STORED * 2)
    second.rejected("other", Reason.NOT_FOUND, 0)
    second.publish()
    assert reported(first) == {
        "gateway_items_total,acme,stored": 3,
        "gateway_items_received_total,acme": 3,
        "gateway_requests_total,acme,accepted": 2,
        "gateway_requests_total,other,not_found": 1,
        "gateway_unmatched_requests_total,other": 1,
    }
    assert reported(first) == reported(second)


def test_a_worker_that_takes_anothers_place_counts_on(file: SharedFile) -> None:
    for count in range(1, 4):
        meter = SharedMeter(file, 0)
        meter.accepted("acme", STORED)
        assert reported(meter)["gateway_items_total,acme,stored"] == count
    assert reported(SharedMeter(file, 1))["gateway_items_total,acme,stored"] == 3


def test_histograms_are_summed_over_all_and_kept_those_of_the_writer_too(file: SharedFile) -> None:
    first, second, writer = (SharedMeter(file, slot) for slot in (0, 1, file.writer))
    first.answered("acme", "track", 200, 0.003)
    second.answered("acme", "track", 200, 0.02)
    writer.committed(0.004, 12)
    for each in (second, writer):
        each.publish()
    expected = {
        **{f"gateway_request_duration_seconds_bucket,acme,track,200,{bound}": 1 for bound in ("0.005", "0.01")},
        **{
            f"gateway_request_duration_seconds_bucket,acme,track,200,{bound}": 2
            for bound in ("0.025", "0.05", "0.1", "0.25", "1.0", "5.0", "+Inf")
        },
        "gateway_request_duration_seconds_count,acme,track,200": 2,
        "gateway_request_duration_seconds_sum,acme,track,200": pytest.approx(0.023),
        **{
            f"gateway_commit_duration_seconds_bucket,{bound}": 1
            for bound in ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "1.0", "5.0", "+Inf")
        },
        "gateway_commit_duration_seconds_count": 1,
        "gateway_commit_duration_seconds_sum": 0.004,
        **{
            f"gateway_commit_events_bucket,{bound}": 1
            for bound in ("20.0", "50.0", "100.0", "200.0", "500.0", "1000.0", "2000.0", "+Inf")
        },
        "gateway_commit_events_count": 1,
        "gateway_commit_events_sum": 12,
    }
    assert reported(first) == expected
    for slot in (0, 1, file.writer):
        assert reported(SharedMeter(file, slot))["gateway_commit_events_sum"] == 12
    assert reported(SharedMeter(file, 1)) == expected


def test_a_process_says_of_itself_what_no_other_says(file: SharedFile) -> None:
    first, writer = SharedMeter(file, 0), SharedMeter(file, file.writer)
    writer.publish()
    named = {
        sample.labels["process"]
        for family in first.collect()
        for sample in family.samples
        if family.name.startswith("python_gc")
    }
    assert named == {"HTTP worker 1", "writer"}
    assert first.processes() == {"HTTP worker 1": os.getpid(), "writer": os.getpid()}
    before = first.tallies()["python_gc_collections", "HTTP worker 1", "0"]
    after = SharedMeter(file, 0).tallies()["python_gc_collections", "HTTP worker 1", "0"]
    assert after[0] < 2 * before[0]  # it is not added to that of the process before


def test_what_waits_in_all_workers_is_summed_and_does_not_outlive_a_worker(file: SharedFile) -> None:
    before, second = SharedMeter(file, 0), SharedMeter(file, 1)
    before.watch_queue(lambda: (5, 100))
    second.watch_queue(lambda: (7, 100))
    before.publish()
    assert reported(second) == {"gateway_queue_bytes": 12, "gateway_queue_limit_bytes": 200}
    after = SharedMeter(file, 0)
    after.watch_queue(lambda: (1, 100))
    assert reported(after) == {"gateway_queue_bytes": 8, "gateway_queue_limit_bytes": 200}


def test_too_many_counters_to_share_are_left_out_and_said(file: SharedFile, caplog: pytest.LogCaptureFixture) -> None:
    meter = SharedMeter(file, 0)
    meter.accepted("acme", STORED)
    meter.publish()
    for number in range(1000):
        meter.accepted(f"dialect {number}", STORED)
    meter.publish()
    assert "too many to share" in caplog.text
    assert reported(SharedMeter(file, 1))["gateway_items_total,acme,stored"] == 1


def test_a_preflight_and_its_request_may_meet_different_workers(file: SharedFile) -> None:
    asked = RequestHead("OPTIONS", "/track", "", {"origin": "https://shop.example"}, "192.0.2.1")
    first, second = Preflights(file.preflights()), Preflights(file.preflights())
    first.asked(asked, 3, NOW)
    first.asked(asked, 3, NOW)
    second.followed(asked)
    assert [list(second.expired(now)) for now in (NOW, NOW + GRACE + 1, NOW + GRACE + 1)] == [[], [(3, 1)], []]


def limiters(file: SharedFile, limit: Limit, count: int = 2) -> list[SharedLimiter]:
    return [SharedLimiter(limit, file.table(0)) for _ in range(count)]


def take(limiter: Limiter, key: str, now: int) -> Quota | tuple[object, ...]:
    try:
        return limiter.take(key, now)
    except Refusal as refusal:
        return (refusal.reason, refusal.detail, refusal.retry_after, refusal.quota)


@pytest.mark.parametrize("limit", [Limit(3, 10), Limit(1, 2), Limit(7, 3), Limit(100, 1), Limit(1000, 60)], ids=str)
def test_several_limiters_together_answer_as_one_in_one_process(file: SharedFile, limit: Limit) -> None:
    alone, shared = MemoryLimiter(limit), limiters(file, limit)
    now = NOW
    for step in range(3 * limit.requests + 20):
        now += (0, 1, 0, 7, 0, 300)[step % 6]
        together, single = take(shared[step % 2], "a", now), take(alone, "a", now)
        if isinstance(together, Quota) and isinstance(single, Quota):
            assert abs(together.remaining - single.remaining) <= 1  # sums of fractions: one may just miss a whole token
            together = attrs.evolve(together, remaining=single.remaining)
        assert together == single


def test_keys_do_not_share_a_bucket(file: SharedFile) -> None:
    first, second = limiters(file, Limit(2, 60))
    for number in range(3000):
        assert isinstance(take(first, f"key {number}", NOW), Quota)
    for number in range(3000):
        assert isinstance(take(second, f"key {number}", NOW), Quota)
    refused = [take(first, f"key {number}", NOW) for number in range(3000)]
    assert not any(isinstance(each, Quota) for each in refused)


def test_buckets_that_are_full_again_make_room_for_other_keys(file: SharedFile) -> None:
    (limiter,) = limiters(file, Limit(1, 1), count=1)
    for second in range(20):
        for number in range(3000):
            assert isinstance(take(limiter, f"{second} {number}", NOW + 1000 * second), Quota)
        assert not isinstance(take(limiter, f"{second} 7", NOW + 1000 * second), Quota)
