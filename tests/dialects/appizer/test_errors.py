"""Refusals that no corpus case can cause: those of a failing gateway, and faults that were not explained."""

import json

import pytest

from dialects.appizer.errors import field_name, refuse
from gateway.dialect import Fault, Outcome, Quota, Reason, Refusal, Request, Verdict

REQUEST = Request("POST", "/v1/users", {}, {}, b"", 1_767_323_045_678)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_an_answer_in_the_envelope_with_rate_headers(reason: Reason) -> None:
    response = refuse(REQUEST, Refusal(reason))
    assert response.status >= 400
    assert list(json.loads(response.body or b""))[:3] == ["error", "message", "code"]
    assert response.headers["X-RateLimit-Limit"] == "500"
    assert response.headers["X-RateLimit-Remaining"] == "500"
    assert response.headers["X-RateLimit-Reset"] == "1767323105"


@pytest.mark.parametrize(
    ("reason", "status", "expected"),
    [
        (
            Reason.INTERNAL,
            500,
            {
                "error": "Internal Server Error",
                "message": "Something went wrong on our end",
                "code": "INTERNAL_ERROR",
            },
        ),
        (
            Reason.UNAVAILABLE,
            503,
            {
                "error": "Service Unavailable",
                "message": "Service temporarily unavailable",
                "code": "SERVICE_UNAVAILABLE",
            },
        ),
        (
            Reason.TIMEOUT,
            408,
            {
                "error": "Request Timeout",
                "message": "Request body was not received in time",
                "code": "REQUEST_TIMEOUT",
            },
        ),
    ],
)
def test_a_failure_of_the_gateway_is_answered_in_the_envelope(
    reason: Reason, status: int, expected: dict[str, str]
) -> None:
    response = refuse(REQUEST, Refusal(reason))
    assert (response.status, json.loads(response.body or b"")) == (status, expected)


def test_the_quota_of_a_configured_limit_is_in_the_headers_of_a_refusal() -> None:
    response = refuse(REQUEST, Refusal(Reason.NOT_FOUND, quota=Quota(7, 3, 99)))
    assert dict(response.headers) == {
        "X-RateLimit-Limit": "7",
        "X-RateLimit-Remaining": "3",
        "X-RateLimit-Reset": "99",
    }


def test_a_fault_without_an_explanation_is_an_invalid_request() -> None:
    neighbour = Outcome(Verdict.REJECTED, "1")
    unexplained = Outcome(Verdict.REJECTED, "2", (Fault("invalid"),))
    response = refuse(REQUEST, Refusal(Reason.INVALID, outcomes=(neighbour, unexplained)))
    assert json.loads(response.body or b"") == {
        "error": "Bad Request",
        "message": "Invalid request body",
        "code": "INVALID_REQUEST",
        "details": {"issue": "Invalid value"},
    }


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("", ""),
        ("/user_id", "user_id"),
        ("/events/3", "events[3]"),
        ("/events/3/user_id", "events[3].user_id"),
        ("/properties/a~1b/0/c~0d~01", "properties.a/b[0].c~d~1"),
        ("/properties/", "properties."),
    ],
)
def test_a_pointer_is_named_as_the_vendor_names_fields(pointer: str, name: str) -> None:
    assert field_name(pointer) == name
