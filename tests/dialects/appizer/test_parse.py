"""Parsing survives any body, and takes from a connection only what can be stored."""

import pytest

from dialects.appizer import dialect
from gateway.dialect import Request, Route

ROUTES = [*dialect.routes_for(frozenset()), *dialect.routes_for(frozenset({"coerce_ids"}))]
BODIES = [
    b"",
    b"null",
    b"[]",
    b"[[]]",
    b"1e400",
    b'"\\ud800"',
    b'{"events":1e400}',
    b'{"events":{"0":1}}',
    b'{"events":[1e400,null,"\\ud800",[],{"\\u0000":1e400}],"x":1e400,"\\udfff":{}}',
    b'{"app_id":1e400,"appId":"\\ud800","user_id":1e400,"event":[]}',
    b'{"user_id":' + b"9" * 4400 + b"}",
    b"\xff",
    b"[" * 100_000,
]


def request(body: bytes, headers: dict[str, str] | None = None) -> Request:
    return Request("POST", "/v1/events", {}, headers or {}, body, 0)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:12].decode("latin-1"))
def test_parsing_survives_any_body(route: Route, body: bytes) -> None:
    submission = route.parse(request(body))
    assert (submission.fault is None) == bool(submission.items)


def test_a_browsers_user_agent_that_is_not_unicode_is_mended() -> None:
    headers = {"x-app-id": "app_1", "origin": "https://shop.example", "user-agent": "caf\udce9 \udcff"}
    submission = ROUTES[0].parse(request(b"{}", headers))
    assert submission.context["user_agent"] == "caf\ufffd \ufffd"


def test_a_browsers_user_agent_beyond_ascii_stays() -> None:
    headers = {"x-app-id": "app_1", "sec-fetch-site": "same-origin", "user-agent": "café 😀"}
    submission = ROUTES[0].parse(request(b"{}", headers))
    assert submission.context == {"app": {"id": "app_1"}, "user_agent": "café 😀"}


def test_an_app_id_alone_makes_no_browser() -> None:
    submission = ROUTES[0].parse(request(b"{}", {"x-app-id": "app_1", "user-agent": "curl"}))
    assert submission.context == {"app": {"id": "app_1"}}


def test_a_server_call_has_no_context() -> None:
    submission = ROUTES[0].parse(request(b"{}", {"authorization": "Bearer k", "user-agent": "curl", "x-app-id": "a"}))
    assert submission.context == {}
