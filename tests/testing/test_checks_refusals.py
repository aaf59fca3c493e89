"""The checks of `refuse`: an answer that is missing, that misleads a client, or says too much."""

import itertools
from pathlib import Path

import attrs

from gateway.dialect import Reason, Refusal, Request, Response
from tests.testing import small
from tests.testing.checking import failure, kept, place
from tests.testing.small import DIALECT, KEY, subject_of, with_route

EVENT = "POST /small-api/v1/event of an_event_is_stored"
EVENTS = "POST /small-api/v1/events of events_are_stored"
PIXEL = "GET /small-api/v1/pixel of a_pixel_of_a_page_is_stored"


def test_a_dialect_with_an_answer_to_everything_passes(tmp_path: Path) -> None:
    assert kept(subject_of(tmp_path), "refusals") == [
        "refusals/every reason has an answer",
        "refusals/the status says whether to try again",
        "refusals/no credential is repeated",
        "refusals/no markup is repeated in a page",
    ]


def test_a_refuse_that_needs_a_fact_which_is_not_always_there_is_named(tmp_path: Path) -> None:
    def refuse(request: Request, refusal: Refusal) -> Response:
        if refusal.reason is Reason.TOO_LARGE:
            return small.json_response(413, {"bytes": refusal.detail["limit"]})
        return small.refuse(request, refusal)

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "refusals/every reason has an answer")) == (
        f"`refuse` fails on {EVENT}, refused for TOO_LARGE with most_items by the dialect's `refuse`:"
        f" KeyError: 'limit' {place(refuse, 2)}"
        "\n  To do: return a Response from `refuse` for every Refusal; `detail` has only the facts that Reason names"
    )


def test_a_refuse_that_repeats_text_which_cannot_be_written_is_named(tmp_path: Path) -> None:
    def refuse(_request: Request, refusal: Refusal) -> Response:
        if refusal.reason is Reason.ENCODING:
            return Response(415, headers={"X-Encoding": f"{refusal.detail.get('encoding')}\n"})
        return Response(refusal.reason.status)

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "refusals/every reason has an answer")) == (
        f"{EVENT}, refused for ENCODING with encoding by the dialect's `refuse`, was answered with"
        " the header 'X-Encoding': 'kit-canary-5f0c\\n', which cannot be sent"
        "\n  To do: return a Response whose status, headers, `content_type` and body agree, as HTTP has them"
    )


def test_a_refuse_that_returns_nothing_is_named(tmp_path: Path) -> None:
    def refuse(request: Request, refusal: Refusal) -> Response:
        return None if refusal.reason is Reason.CONFLICT else small.refuse(request, refusal)  # type: ignore

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "refusals/every reason has an answer")) == (
        f"{EVENT}, refused for CONFLICT without facts by the dialect's `refuse`, was answered with NoneType, which is"
        " no Response"
        "\n  To do: return a Response whose status, headers, `content_type` and body agree, as HTTP has them"
    )


def test_a_refuse_that_counts_is_named(tmp_path: Path) -> None:
    numbers = itertools.count()

    def refuse(_request: Request, refusal: Refusal) -> Response:
        return small.json_response(refusal.reason.status, {"number": next(numbers)})

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "refusals/every reason has an answer")) == (
        f"{EVENT}, refused for NOT_FOUND without facts by the dialect's `refuse`, was answered otherwise the second"
        " time"
        "\n  To do: keep `refuse` pure: no clock, no counter, nothing at random"
    )


def test_an_outage_that_clients_take_for_the_end_is_named(tmp_path: Path) -> None:
    def refuse(_request: Request, _refusal: Refusal) -> Response:
        return Response(400)

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "refusals/the status says whether to try again")) == (
        f"{EVENT}, refused for TIMEOUT without facts by the dialect's `refuse`, was answered 400: a client takes"
        " that for"
        " the end, and does not try again"
        "\n  To do: answer it with 408, 425, 429 or a 5xx, whatever the route: only then is nothing lost"
    )


def test_a_mistake_that_clients_would_send_forever_is_named(tmp_path: Path) -> None:
    def refuse(_request: Request, _refusal: Refusal) -> Response:
        return Response(503)

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "refusals/the status says whether to try again")) == (
        f"{EVENT}, refused for NOT_FOUND without facts by the dialect's `refuse`, was answered 503, although a retry"
        " cannot help"
        "\n  To do: answer it with 404 or another 4xx. Only a route with method GET and a `refuse` of its own (a"
        " pixel) may"
        " answer 2xx to what is wrong for good"
    )


def test_a_pixel_may_answer_an_image_to_a_mistake_but_not_to_an_outage(tmp_path: Path) -> None:
    def refuse(_request: Request, refusal: Refusal) -> Response:
        return Response(200 if not refusal.reason.retryable else refusal.reason.status, b"GIF89a", "image/gif")

    def always(_request: Request, _refusal: Refusal) -> Response:
        return Response(200, b"GIF89a", "image/gif")

    kept(subject_of(tmp_path, with_route("pixel", refuse=refuse)), "refusals")
    subject = subject_of(tmp_path, with_route("pixel", refuse=always))
    assert str(failure(subject, "refusals/the status says whether to try again")) == (
        f"{PIXEL}, refused for LIMITED with limit, window, was answered 200: a client takes that for the end, and"
        " does not"
        " try again\n  To do: answer it with 408, 425, 429 or a 5xx, whatever the route: only then is nothing lost"
    )


def test_a_refuse_that_repeats_the_key_is_named(tmp_path: Path) -> None:
    def refuse(request: Request, refusal: Refusal) -> Response:
        key = request.headers.get("x-small-key")
        return small.json_response(refusal.reason.status, {"unknown": key})

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "refusals/no credential is repeated")) == (
        f"{EVENT}, refused for NOT_FOUND without facts by the dialect's `refuse`, was answered with the credential"
        " that was"
        f' sent: {{}} {{"unknown":"{KEY}"}}'
        "\n  To do: leave it out of the text of `refuse`: answers are logged and shown, by whomever"
    )


def test_a_page_with_what_was_sent_in_it_is_named(tmp_path: Path) -> None:
    def refuse(request: Request, refusal: Refusal) -> Response:
        return Response(refusal.reason.status, f"<p>No {request.path}</p>".encode(), "text/html; charset=utf-8")

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "refusals/no markup is repeated in a page")) == (
        "a request with <svg onload=kit()> in its path and headers, refused for NOT_FOUND, was answered with it in"
        " text/html; charset=utf-8: a link would run scripts in the gateway's name"
        "\n  To do: escape what was sent (`html.escape`), or answer text/plain"
    )
