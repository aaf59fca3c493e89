"""What a process counts: a row for everything from the start, and histograms whose buckets add up."""

import pytest

from gateway.dialect.outcome import Outcome, Reason, Verdict
from gateway.records.families import FAMILIES
from gateway.records.histogram import Histogram
from gateway.records.metrics import Meter


def reported(meter: Meter) -> dict[str, float]:
    """Every sample by its name and the values of its labels."""
    return {
        ",".join([sample.name, *sample.labels.values()]): sample.value
        for family in meter.collect()
        for sample in family.samples
    }


def test_a_value_is_in_the_first_bucket_whose_bound_it_does_not_exceed() -> None:
    histogram = Histogram((1.0, 2.5))
    for value in (0.0, 1.0, 1.1, 2.5, 2.6, 100.0):
        histogram.observe(value)
    assert histogram.numbers() == [2, 2, 2, pytest.approx(107.2)]


def test_every_family_is_there_before_anything_happens() -> None:
    assert [family.name for family in Meter().collect()] == [family.name for family in FAMILIES]
    assert all(f"{each.name}_count" in reported(Meter()) for each in FAMILIES if each.bounds and not each.labels)


def test_an_announced_dialect_has_a_row_for_each_verdict_each_reason_and_each_route() -> None:
    meter = Meter()
    meter.announce("acme", ["track"])
    rows = {name: value for name, value in reported(meter).items() if ",acme" in name and "_bucket" not in name}
    assert rows == {
        **{f"gateway_items_total,acme,{verdict.value}": 0 for verdict in Verdict},
        "gateway_items_received_total,acme": 0,
        **{f"gateway_requests_total,acme,{result}": 0 for result in ("accepted", *[each.value for each in Reason])},
        "gateway_unmatched_requests_total,acme": 0,
        "gateway_dialect_bugs_total,acme": 0,
        "gateway_unfollowed_preflights_total,acme": 0,
        **{
            f"gateway_request_duration_seconds_{what},acme,{route}": 0
            for what in ("count", "sum")
            for route in ("track,200", "(none),404", "(preflight),204")
        },
    }


def test_what_is_announced_again_after_a_reload_counts_on() -> None:
    meter = Meter()
    meter.announce("acme", ["track"])
    meter.accepted("acme", [Outcome(Verdict.STORED, "m-1")])
    meter.answered("acme", "track", 200, 0.5)
    before = meter.tallies()
    meter.announce("acme", ["track"])
    assert {name: each for name, each in meter.tallies().items() if name[0].startswith("gateway_")} == {
        name: each for name, each in before.items() if name[0].startswith("gateway_")
    }


def test_the_items_that_were_received_are_all_but_the_rejected_ones() -> None:
    meter = Meter()
    meter.accepted("acme", [Outcome(verdict, "m-1") for verdict in (*Verdict, Verdict.STORED)])
    meter.rejected("acme", Reason.INVALID, 7)
    found = reported(meter)
    assert found["gateway_items_received_total,acme"] == 5
    assert [found[f"gateway_items_total,acme,{verdict.value}"] for verdict in Verdict] == [2, 1, 1, 1, 8]


def test_the_buckets_of_a_duration_are_cumulative() -> None:
    meter = Meter()
    for seconds in (0.0005, 0.001, 0.003, 0.2, 9.0):
        meter.answered("acme", "track", 202, seconds)
    found = reported(meter)
    prefix = "gateway_request_duration_seconds"
    buckets = {name.rpartition(",")[2]: value for name, value in found.items() if name.startswith(f"{prefix}_bucket")}
    assert buckets == {
        **dict.fromkeys(("0.001", "0.0025"), 2),
        **dict.fromkeys(("0.005", "0.01", "0.025", "0.05", "0.1"), 3),
        **dict.fromkeys(("0.25", "1.0", "5.0"), 4),
        "+Inf": 5,
    }
    assert found[f"{prefix}_count,acme,track,202"] == 5
    assert found[f"{prefix}_sum,acme,track,202"] == pytest.approx(9.2045)
