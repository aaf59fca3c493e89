"""Refusals that no request alone can bring about, and the pixel's query."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.databuddy import dialect
from dialects.databuddy.pixel import unflatten
from gateway.dialect import Route
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Outcome, Reason, Refusal, Verdict

ROUTES = dialect.routes(frozenset())
REQUEST = Request("POST", "/track", {}, {}, b"", 0)
RETRYABLE = {Reason.UNAVAILABLE, Reason.LIMITED, Reason.INTERNAL}
INVALID = (Outcome(Verdict.REJECTED, "", (Fault("invalid"),)),)


def named(name: str) -> Route:
    [route] = [route for route in ROUTES if route.name == name]
    return route


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_refusal_has_the_two_keys_and_no_more(route: Route, reason: Reason) -> None:
    assert route.refuse is not None
    response = route.refuse(REQUEST, Refusal(reason, faults=(Fault("malformed"),), outcomes=INVALID))
    if route.name == "pixel" and reason not in RETRYABLE:
        assert (response.status, response.content_type) == (200, "image/gif")
    elif route.name == "pixel" or reason in (Reason.NOT_FOUND, Reason.METHOD_NOT_ALLOWED):
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
def test_trouble_is_told_in_the_vendors_words(reason: Reason, status: int, message: str) -> None:
    refuse = named("track").refuse
    assert refuse is not None
    response = refuse(REQUEST, Refusal(reason))
    assert (response.status, response.body) == (status, b'{"status":"error","message":"%s"}' % message.encode())


def test_a_pixel_is_no_image_when_the_store_is_down_so_that_the_tracker_tries_again() -> None:
    refuse = named("pixel").refuse
    assert refuse is not None
    response = refuse(REQUEST, Refusal(Reason.UNAVAILABLE, retry_after=1))
    assert (response.status, response.body, response.headers) == (503, None, {"Retry-After": "5"})


@pytest.mark.parametrize(
    ("query", "payload"),
    [
        ({"name": "5", "n": "5", "f": "1.50", "t": "true"}, {"name": "5", "n": 5, "f": 1.5, "t": True}),
        ({"a[b][c]": "1", "a[d]": "x"}, {"a": {"b": {"c": 1}, "d": "x"}}),
        ({"a[b]": "1", "a[b][c]": "2"}, {"a": {"b": 1}, "a[b][c]": "2"}),
        ({"a[b]": "1", "a": "2"}, {"a": 2, "a[b]": "1"}),
        ({"name[x]": "1", "[x]": "1", "a[": "1"}, {"name[x]": 1, "[x]": 1, "a[": 1}),
        (
            {"o": '{"a":1}', "l": "[1]", "bad": "{", "type": "track", "client_id": "s"},
            {"o": {"a": 1}, "l": [1], "bad": "{"},
        ),
        ({"n": "9" * 16, "f": "9" * 400 + ".0"}, {"n": "9" * 16, "f": "9" * 400 + ".0"}),
    ],
)
def test_a_query_is_unflattened(query: dict[str, str], payload: dict[str, object]) -> None:
    assert unflatten(query) == payload


@given(st.dictionaries(st.text(alphabet='ab[]{}1.-"', max_size=8), st.text(alphabet='{}[]1.-"a:,', max_size=8)))
def test_any_query_is_unflattened(query: dict[str, str]) -> None:
    unflatten(query)
