"""What is kept of a rejected request: its facts, within bounds."""

from gateway.dialect.outcome import Fault, Outcome, Reason, Refusal, Verdict
from gateway.records.rejected_request import _faults


def test_few_faults_are_kept_whole_with_the_index_of_their_item() -> None:
    outcomes = (Outcome(Verdict.REJECTED, "a"), Outcome(Verdict.REJECTED, "b", (Fault("type", "/at", {"n": 1}),)))
    refusal = Refusal(Reason.INVALID, outcomes=outcomes, detail={"limit": 3})
    assert _faults(refusal) == [
        {"code": "limit", "pointer": "", "detail": {"limit": 3}},
        {"item": 1, "code": "type", "pointer": "/at", "detail": {"n": 1}},
    ]


def test_many_faults_are_cut_and_counted() -> None:
    many = tuple(Outcome(Verdict.REJECTED, str(index), (Fault("invalid"),)) for index in range(20_000))
    found = _faults(Refusal(Reason.INVALID, outcomes=many))
    assert (len(found), found[-1]) == (101, {"code": "more_faults", "pointer": "", "detail": {"count": 19_900}})


def test_long_faults_are_left_out_and_counted() -> None:
    faults = (Fault("type", "/a"), Fault("type", "/" + "k" * 20_000), Fault("type", "/b"))
    assert _faults(Refusal(Reason.BODY, faults=faults)) == [
        {"code": "type", "pointer": "/a", "detail": {}},
        {"code": "more_faults", "pointer": "", "detail": {"count": 2}},
    ]
