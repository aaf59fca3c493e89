"""Faults as sentences: what is wrong and where, in words for somebody who does not know the gateway."""

from typing import Any

import pytest

from gateway.dialect import Fault
from gateway.ingest.registry import installed_by_name
from gateway.operate.explain import explain

SCHEMAS = installed_by_name({})["browsee"].schemas


def explained(fault: Fault) -> str:
    return explain(fault.code, fault.pointer, fault.detail)


@pytest.mark.parametrize(
    ("code", "pointer", "detail", "sentence"),
    [
        ("required", "/event", {}, "/event is missing"),
        ("type", "/name", {"expected": "string", "received": "number"}, "/name must be string, not number"),
        ("type", "/name", {}, "/name has another type than its schema requires"),
        ("maxLength", "/name", {}, "/name is too long"),
        ("enum", "/type", {"allowed": ["a", "b"]}, "/type must be one of ['a', 'b']"),
        ("maxLength", "/name", {"limit": 255}, "/name is longer than 255 characters"),
        ("malformed", "", {"problem": "Expecting value", "offset": 0}, "the item is not valid JSON"),
        ("no_such_route", "", {}, "the request came by a route that the installed dialects do not have"),
        ("unknown_type", "/type", {}, "/type is not a known type of event"),
        ("some_code", "/a/b", {}, "/a/b is not valid: some code"),
        ("anyOf", "", {}, "the item has none of the forms that its schema allows"),
    ],
)
def test_a_fault_is_a_sentence(code: str, pointer: str, detail: dict[str, Any], sentence: str) -> None:
    assert explain(code, pointer, detail) == sentence


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        ({"origin": "https://evil.example"}, "the request's Origin was https://evil.example"),
        ({"kind": "website"}, "the credential was of the kind website"),
        ({"limit": 10}, "the limit is 10"),
        ({"window": 60}, "the limit is counted over 60 seconds"),
        ({"required": "write:llm"}, "the scope that is required is write:llm"),
        ({"current": ["read", "write"]}, "the credential's scopes are read, write"),
        ({"allowed": "POST, OPTIONS"}, "the methods allowed here are POST, OPTIONS"),
        ({"encoding": "br"}, "the Content-Encoding was br"),
    ],
)
def test_a_detail_of_a_rejection_is_a_sentence_too(detail: dict[str, Any], sentence: str) -> None:
    [code] = detail
    assert explain(code, "", detail) == sentence


def test_fields_of_which_one_is_needed_are_named() -> None:
    [fault] = SCHEMAS["track"].explain({"apiKey": "k", "event": "a"})
    assert explained(fault) == "the item needs userId or anonymousId"


def test_what_is_wrong_with_each_alternative_is_named() -> None:
    faults = SCHEMAS["track"].explain({"apiKey": "k", "event": "a", "userId": 5})
    causes = "/userId must be string, not number; or /anonymousId is missing"
    assert f"the item has none of the forms that its schema allows: {causes}" in [explained(each) for each in faults]


def test_what_a_client_wrote_never_reaches_a_terminal_as_control_characters() -> None:
    assert explain("lone_surrogate", "/a\x1b[2J\n\ud800") == (
        "/a\\x1b[2J\\n\\ud800 contains half of a surrogate pair, which cannot be stored as text"
    )
    assert explain("origin", "", {"origin": "\x07"}) == "the request's Origin was \\x07"
