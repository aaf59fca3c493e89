"""Refusals that no request of the corpus brings about."""

import json

import pytest

from dialects.browsee.errors import explain, refuse
from gateway.dialect import Fault, Outcome, Reason, Refusal, Request, Verdict

REQUEST = Request("POST", "/api/v1/track", {}, {}, b"", 1767323045678)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_a_failure_in_the_one_shape(reason: Reason) -> None:
    answer = refuse(REQUEST, Refusal(reason, detail={"limit": 10, "window": 60}, retry_after=3))
    assert answer.body is not None
    assert 400 <= answer.status < 600
    failure = json.loads(answer.body)
    assert list(failure) == ["status", "message"]
    assert failure["status"] == "failure"
    assert failure["message"].endswith(".")
    assert "None" not in failure["message"]


def test_an_item_that_was_not_explained_still_gets_a_sentence() -> None:
    refusal = Refusal(Reason.INVALID, outcomes=(Outcome(Verdict.REJECTED, "m", (Fault("invalid"),)),))
    body = refuse(REQUEST, refusal).body
    assert body == b'{"status":"failure","message":"The body is not valid: check it against the fields of this call."}'


@pytest.mark.parametrize("code", ["empty", "malformed", "invalid_utf8", "not_object", "too_deep"])
def test_the_message_of_a_bodys_own_fault_is_about_the_body(code: str) -> None:
    assert explain(Fault(code)).startswith("The body ")


def test_the_message_of_a_body_over_the_cap_has_the_limit() -> None:
    answer = refuse(REQUEST, Refusal(Reason.TOO_LARGE, detail={"limit": 2097152}))
    assert (answer.status, answer.body) == (
        413,
        b'{"status":"failure","message":"The body is larger than 2097152 bytes: send less in one request."}',
    )


def test_a_store_that_cannot_store_is_a_503() -> None:
    answer = refuse(REQUEST, Refusal(Reason.UNAVAILABLE, retry_after=1))
    assert answer.status == 503
