"""The checks of limits: a dialect that lets too much through, and one that says so to nobody."""

import json
from pathlib import Path

import attrs

from gateway.dialect import Dialect, Reason, Refusal, Request, Response, Submission, bounded, json_or_fault
from tests.testing import small
from tests.testing.checking import failure, kept
from tests.testing.small import DIALECT, subject_of, with_route

EVENT = "POST /small-api/v1/event of an_event_is_stored"
EVENTS = "POST /small-api/v1/events of events_are_stored"
BOUNDED = (
    "\n  To do: call `bounded(elements)` in `parse` before you make Items: this is read before anybody has shown a"
    " credential"
)


def test_a_dialect_that_keeps_the_limits_passes(tmp_path: Path) -> None:
    assert kept(subject_of(tmp_path), "limits") == [
        "limits/a body over body_cap is too large",
        "limits/a body that inflates beyond body_cap is too large",
        "limits/a gzipped body is read as a plain one",
        "limits/an unknown Content-Encoding is refused",
        "limits/too many items are refused before they are made",
        "limits/too many values are refused before they are decoded",
        "limits/a request over the rate limit is told when to try again",
    ]


def refusing(reason: Reason, response: Response) -> Dialect:
    """Return the small dialect with another answer to one reason."""

    def refuse(request: Request, refusal: Refusal) -> Response:
        return response if refusal.reason is reason else small.refuse(request, refusal)

    return attrs.evolve(DIALECT, refuse=refuse)


def test_what_is_too_large_and_answered_2xx_is_named(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, refusing(Reason.TOO_LARGE, Response(204)))
    remedy = "\n  To do: have `refuse` answer Reason.TOO_LARGE with 413, or with what your vendor sends"
    assert str(failure(subject, "limits/a body over body_cap is too large")) == (
        f"{EVENT} with a body of 2097153 bytes was answered 204 without a body{remedy}"
    )
    assert str(failure(subject, "limits/a body that inflates beyond body_cap is too large")) == (
        f"{EVENT} with a gzipped body that inflates beyond body_cap was answered 204 without a body{remedy}"
    )


def test_an_unknown_encoding_that_is_answered_2xx_is_named(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, refusing(Reason.ENCODING, Response(204)))
    assert str(failure(subject, "limits/an unknown Content-Encoding is refused")) == (
        f"{EVENT} with Content-Encoding: kit was answered 204 without a body"
        "\n  To do: have `refuse` answer Reason.ENCODING with 415, or with what your vendor sends"
    )


def test_a_parse_that_looks_at_how_a_body_was_sent_is_named(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        if "content-encoding" in request.headers:
            raise Refusal(Reason.ENCODING, detail={"encoding": request.headers["content-encoding"]})
        return small.parse_event(request)

    subject = subject_of(tmp_path, with_route("event", parse=parse))
    assert str(failure(subject, "limits/a gzipped body is read as a plain one")) == (
        f'{EVENT} with its body gzipped was answered 415 {{"refused":"unsupported_encoding"}}, and was stored'
        " otherwise"
        "\n  To do: read `request.body`, which is inflated, and no header that says how it was sent"
    )


def test_a_parse_without_bounds_is_named(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        body, _ = json_or_fault(request.body)
        elements: list[object] = body.get("events", []) if isinstance(body, dict) else []
        return Submission(small.credentials(request), tuple([small.item(each) for each in elements]))

    subject = subject_of(tmp_path, with_route("events", parse=parse))
    assert str(failure(subject, "limits/too many items are refused before they are made")) == (
        f"{EVENTS} with 40000 elements at /events of the body was read into 40000 items, and MAX_ITEMS is 20000"
        f"{BOUNDED}"
    )


def test_a_parse_that_looks_at_the_bounds_too_late_is_named(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        body, _ = json_or_fault(request.body)
        elements: list[object] = body.get("events", []) if isinstance(body, dict) else []
        items = bounded([small.item(each) for each in elements])
        return Submission(small.credentials(request), tuple(items))

    subject = subject_of(tmp_path, with_route("events", parse=parse))
    found = str(failure(subject, "limits/too many items are refused before they are made"))
    assert found.startswith(f"{EVENTS} with 40000 elements at /events of the body took ")
    assert found.endswith(f" MiB to be decoded{BOUNDED}")


def test_a_parse_with_a_decoder_of_its_own_is_named(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        return Submission(small.credentials(request), (small.item(json.loads(request.body or b"{}")),))

    subject = subject_of(tmp_path, with_route("event", parse=parse))
    assert str(failure(subject, "limits/too many values are refused before they are decoded")) == (
        f"`parse` reads {EVENT} with more than MAX_VALUES (250000) values in its body"
        "\n  To do: decode it with `json_or_fault` or `decode`, which refuse such a body before it takes memory"
    )


def test_a_rate_limit_that_clients_are_not_told_of_is_named(tmp_path: Path) -> None:
    remedy = (
        "\n  To do: have `refuse` answer Reason.LIMITED with 429, or what your vendor sends; the gateway adds"
        " Retry-After"
        " (yours has whole seconds)"
    )
    name = "limits/a request over the rate limit is told when to try again"
    sent = f"{EVENT}, sent twice where one request a minute is allowed, was answered"
    subject = subject_of(tmp_path, refusing(Reason.LIMITED, Response(202)))
    assert str(failure(subject, name)) == f"{sent} 202 the second time, with Retry-After: 60{remedy}"
    subject = subject_of(tmp_path, refusing(Reason.LIMITED, Response(429, headers={"Retry-After": "soon"})))
    assert str(failure(subject, name)) == f"{sent} 429 the second time, with Retry-After: soon{remedy}"
