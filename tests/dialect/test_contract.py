"""The contract checks itself: a mistake that one value shows is told when that value is made, in one line."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from gateway.dialect import (
    CredentialKind,
    Fault,
    Item,
    OnInvalid,
    Reason,
    Received,
    Refusal,
    Request,
    Response,
    Route,
    StaticRoute,
    Submission,
    Translated,
)
from gateway.dialect.contract import Accepted
from gateway.dialect.refusals import default_refuse
from tests.kit.fake_dialect import SITE, dialect

REQUEST = Request("POST", "/things", {}, {}, b"", 0)


def parse(_request: Request) -> Submission:
    return Submission()


def translate(_item: Item, _message_id: str, _received: Received) -> Translated:
    return Fault("none")


def render(_accepted: Accepted) -> Response:
    return Response(200)


def route(**changes: Any) -> Route:
    fields: dict[str, Any] = {
        "name": "things",
        "paths": ("/things",),
        "parse": parse,
        "translate": translate,
        "render": render,
        **changes,
    }
    return Route(**fields)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: route(name=""), "a route has no name"),
        (lambda: route(paths=()), "route things has no path"),
        (lambda: route(paths=("things",)), "route things: path 'things' must begin with /"),
        (lambda: route(paths=("/things/",)), "route things: path '/things/' ends with /; leave it out"),
        (lambda: route(mount_only_paths=("x",)), "route things: path 'x' must begin with /"),
        (lambda: route(paths=("/a/{b}/{c}",)), "route things: path '/a/{b}/{c}' has more than one variable segment"),
        (lambda: route(paths=("/a{b}",)), "route things: path '/a{b}' must begin with /"),
        (lambda: route(method="post"), "route things: method 'post' must be in capitals, like POST"),
        (lambda: route(on_invalid="quarantine"), "route things: on_invalid must be a member of OnInvalid"),
        (lambda: StaticRoute(("health",), lambda _: Response(200)), "a static route: path 'health' must begin with /"),
        (lambda: CredentialKind("API key", "{token}"), "credential kind 'API key': use a-z, 0-9 and _"),
        (
            lambda: CredentialKind("key", "token"),
            "credential kind key: its template has neither {token} nor {uuid}",
        ),
        (lambda: CredentialKind("site", "{uuid}", is_site=True), "credential kind site: a site is public"),
        (lambda: attrs.evolve(dialect, name="Acme!"), "name 'Acme!': use a-z, 0-9 and _"),
        (lambda: attrs.evolve(dialect, kinds=()), "it has no credential kind"),
        (lambda: attrs.evolve(dialect, kinds=(SITE, SITE)), "two of its credential kinds have one name"),
        (
            lambda: attrs.evolve(dialect, kinds=(SITE, attrs.evolve(SITE, name="place"))),
            "more than one of its credential kinds is a site",
        ),
        (lambda: attrs.evolve(dialect, prefixes=("v1/",)), "prefix 'v1/' must begin with /, or be empty"),
        (lambda: attrs.evolve(dialect, body_cap=0), "body_cap must be above 0, not 0"),
    ],
)
def test_a_mistake_is_told_where_it_is_made(make: Callable[[], object], problem: str) -> None:
    with pytest.raises(ValueError, match=".") as raised:
        make()
    assert str(raised.value) == problem


@pytest.mark.parametrize("path", ["/", "/a", "/a/b-c_d.e", "/a/{key}/settings", "/a/{key}"])
def test_a_path_may_have_one_variable_segment(path: str) -> None:
    assert route(paths=(path,)).paths == (path,)


def test_names_and_keywords_from_before_0_2_go_on_working() -> None:
    # The checker knows only the new names.
    old = Route("r", ("/r",), parse, translate, render, mounted=("/m",), unfit=OnInvalid.REFUSE_ITEM)  # type: ignore[call-arg]
    assert (old.mount_only_paths, old.on_invalid) == (("/m",), OnInvalid.REJECT_ITEM)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_usual_answer(reason: Reason) -> None:
    detail = {"allowed": "POST, OPTIONS"} if reason is Reason.METHOD_NOT_ALLOWED else {}
    answer = default_refuse(REQUEST, Refusal(reason, detail=detail))
    assert (answer.status, answer.body) == (reason.status, b'{"error": "%s"}' % reason.value.encode())
    assert answer.headers == ({"Allow": "POST, OPTIONS"} if detail else {})


def test_what_a_second_try_may_heal_is_said() -> None:
    assert {reason for reason in Reason if reason.retryable} == {
        *(Reason.TIMEOUT, Reason.LIMITED, Reason.UNAVAILABLE, Reason.INTERNAL),
    }
