"""The checks of routing: each mistake in what a dialect says of its paths, or answers there."""

import itertools
from pathlib import Path

import attrs

from gateway.dialect import Accepted, Reason, Refusal, Request, Response, StaticRoute
from tests.testing import small
from tests.testing.checking import failure, kept, place
from tests.testing.small import DIALECT, subject_of, with_route


def test_a_dialect_that_is_right_at_every_path_passes(tmp_path: Path) -> None:
    assert kept(subject_of(tmp_path), "routing") == [
        "routing/an unknown path is answered as `refuse` answers it",
        "routing/another method is answered as `refuse` answers it",
        "routing/a preflight names every header of a credential",
        "routing/a page may read every answer",
        "routing/slashes and the mount change nothing",
        "routing/HEAD is answered as GET, and stores nothing",
        "routing/a static route answers",
        "routing/a script is served",
    ]


def test_a_path_that_no_prefix_covers_is_named(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, attrs.evolve(DIALECT, prefixes=("/other/",)))
    assert str(failure(subject, "routing/an unknown path is answered as `refuse` answers it")) == (
        "POST /small-api/v1/no-such-path-of-the-kit was answered by the gateway in a format of its own, although it is"
        " beside a path of the dialect"
        "\n  To do: name in Dialect.prefixes what your paths begin with: unknown paths there are answered by `refuse`"
    )


def test_a_path_at_the_root_claims_no_others(tmp_path: Path) -> None:
    cases = {"an_event_is_stored": small.case({"name": "paid", "id": "e-1"})}
    cases["an_event_is_stored"]["steps"][0]["request"]["path"] = "/count"
    dialect = attrs.evolve(DIALECT, routes=(attrs.evolve(small.EVENT, paths=("/count",)),), prefixes=("/count/",))
    assert "routing/an unknown path is answered as `refuse` answers it" in kept(
        subject_of(tmp_path, dialect, cases), "routing"
    )


def test_an_unknown_path_that_is_answered_2xx_is_named(tmp_path: Path) -> None:
    def refuse(request: Request, refusal: Refusal) -> Response:
        return Response(200) if refusal.reason is Reason.NOT_FOUND else small.refuse(request, refusal)

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "routing/an unknown path is answered as `refuse` answers it")) == (
        "POST /small-api/v1/no-such-path-of-the-kit was answered 200 without a body, and `refuse` gives 200"
        " without a body for NOT_FOUND"
        "\n  To do: keep `refuse` pure: the same answer for the same refusal, with a status from 400 on"
    )


def test_a_405_without_allow_is_named(tmp_path: Path) -> None:
    def refuse(_request: Request, refusal: Refusal) -> Response:
        return small.json_response(refusal.reason.status, {"refused": refusal.reason.value})

    subject = subject_of(tmp_path, attrs.evolve(DIALECT, refuse=refuse))
    assert str(failure(subject, "routing/another method is answered as `refuse` answers it")) == (
        "DELETE /small-api/v1/event was answered 405 with Allow: None, not POST, OPTIONS"
        '\n  To do: have `refuse` return the header `Allow` with `refusal.detail["allowed"]`, or the status that your'
        " vendor answers in place of 405"
    )


def test_a_credentials_header_that_preflights_do_not_allow_is_named(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, attrs.evolve(DIALECT, headers=()))
    assert str(failure(subject, "routing/a preflight names every header of a credential")) == (
        "POST /small-api/v1/event of an_event_is_stored shows a credential in the header x-small-key, which a preflight"
        " does not allow to browsers"
        '\n  To do: name it in the dialect: headers=("x-small-key",)'
    )


def test_an_answer_with_cors_of_its_own_is_named(tmp_path: Path) -> None:
    def render(accepted: Accepted) -> Response:
        return attrs.evolve(small.render(accepted), headers={"Access-Control-Allow-Origin": "*"})

    subject = subject_of(tmp_path, with_route("event", render=render))
    assert str(failure(subject, "routing/a page may read every answer")) == (
        "POST /small-api/v1/event of an_event_is_stored was answered 202 with the header Access-Control-Allow-Origin,"
        " which the gateway writes itself (a body's kind is `content_type`)"
        "\n  To do: return a Response whose status, headers, `content_type` and body agree, as HTTP has them"
    )


def test_an_answer_that_depends_on_earlier_ones_is_named(tmp_path: Path) -> None:
    numbers = itertools.count()

    def render(_accepted: Accepted) -> Response:
        return small.json_response(200, {"number": next(numbers)})

    subject = subject_of(tmp_path, with_route("event", render=render))
    assert str(failure(subject, "routing/slashes and the mount change nothing")) == (
        'POST /small-api/v1/event of an_event_is_stored was answered 200 {"number":2} at /small-api/v1/event/, and 200'
        ' {"number":1} at /small-api/v1/event, or was stored otherwise'
        "\n  To do: let the answer depend on the request alone; `request.path` has no doubled or trailing slash, and no"
        " mount"
    )


def test_a_static_route_that_does_not_survive_a_body_is_named(tmp_path: Path) -> None:
    def status(request: Request) -> Response:
        return Response(200, request.body.decode().encode(), "text/plain")

    routes = (StaticRoute(("/small-api/v1/status",), status),)
    subject = subject_of(tmp_path, attrs.evolve(DIALECT, static_routes=routes))
    codec = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
    assert str(failure(subject, "routing/a static route answers")) == (
        f"GET /small-api/v1/status (a static route) was answered 500: UnicodeDecodeError: {codec} {place(status, 1)}"
        "\n  To do: raise nothing but Refusal in a dialect, whatever a client sends"
    )


def test_a_script_with_a_name_that_no_address_has_is_named(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, attrs.evolve(DIALECT, scripts={"small script.js": b"1;"}))
    assert str(failure(subject, "routing/a script is served")) == (
        "the script 'small script.js' has a name that cannot stand in an address as it is"
        "\n  To do: name it with letters, digits, `.`, `_` and `-` in Dialect.scripts"
    )
