"""Refusals that no request of the corpus brings about."""

import json

import pytest

from dialects.databuddy import dialect
from gateway.dialect import Fault, Outcome, Reason, Refusal, Request, Response, Verdict

ROUTES = {route.name: route for route in dialect.routes_for(frozenset())}
REQUEST = Request("POST", "/track", {}, {}, b"", 0)
RETRYABLE = {Reason.UNAVAILABLE, Reason.LIMITED, Reason.INTERNAL}
INVALID = (Outcome(Verdict.REJECTED, "", (Fault("invalid"),)),)


def refused(name: str, refusal: Refusal) -> Response:
    """Return what the route of a name answers to a refused request."""
    return (ROUTES[name].refuse or dialect.refuse)(REQUEST, refusal)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("route", ROUTES)
def test_every_refusal_has_the_two_keys_and_no_more(route: str, reason: Reason) -> None:
    response = refused(route, Refusal(reason, faults=(Fault("malformed"),), outcomes=INVALID))
    if route == "pixel" and reason not in RETRYABLE:
        assert (response.status, response.content_type) == (200, "image/gif")
    elif route == "pixel" or reason in (Reason.NOT_FOUND, Reason.METHOD_NOT_ALLOWED):
        assert response.body is None
    else:
        assert response.body is not None
        assert list(json.loads(response.body)) == ["status", "message"]


@pytest.mark.parametrize(
    ("reason", "status", "message"),
    [
        (Reason.UNAVAILABLE, 503, "Analytics delivery temporarily unavailable"),
        (Reason.INTERNAL, 500, "Internal server error"),
        (Reason.TOO_LARGE, 413, "Payload too large"),
        (Reason.TIMEOUT, 408, "Request body timed out"),
    ],
)
def test_failures_of_the_gateway_have_the_vendors_messages(reason: Reason, status: int, message: str) -> None:
    response = refused("track", Refusal(reason))
    assert (response.status, response.body) == (status, b'{"status":"error","message":"%s"}' % message.encode())


def test_a_pixel_gets_no_image_if_the_store_is_down_so_that_the_tracker_retries() -> None:
    response = refused("pixel", Refusal(Reason.UNAVAILABLE, retry_after=1))
    assert (response.status, response.body, response.headers) == (503, None, {"Retry-After": "5"})
