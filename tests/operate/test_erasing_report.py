"""What `gateway erase` tells a person: a line for each count, in the number that it has."""

from gateway.operate.erasing import NOT_COVERED, lines
from gateway.storage.erasing.eraser import ErasureReport


def test_a_report_of_an_erasure_has_a_line_for_each_fact() -> None:
    report = ErasureReport(events=1, mentions=2, receipts=1, parts_left=1, other_ids=(("anonymous_id", "a-7"),))
    assert lines(report, ["/b/monday.tar"], dry_run=False) == [
        "1 event of this person erased",
        "2 events of others had the id: replaced by [erased]",
        "1 receipt changed",
        "0 kept requests erased",
        "0 quarantined items erased",
        "0 rejected requests erased",
        "0 files erased",
        "1 event of others with the id within a longer text: left as it is",
        "seen with it: anonymous_id a-7",
        "a backup made before has all of it: /b/monday.tar",
        NOT_COVERED,
    ]


def test_a_dry_run_says_what_would_be_done() -> None:
    report = ErasureReport(events=2, mentions=1, kept_requests=1, quarantined=1, rejected=1, files=1)
    assert lines(report, [], dry_run=True) == [
        "2 events of this person would be erased",
        "1 event of others with the id: it would be replaced by [erased]",
        "0 receipts would be changed",
        "1 kept request would be erased",
        "1 quarantined item would be erased",
        "1 rejected request would be erased",
        "1 file would be erased, unless other events have the same",
        NOT_COVERED,
    ]
