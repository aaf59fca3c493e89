"""The checks of bodies: a dialect that survives everything passes, and each that does not is told why."""

import json
from pathlib import Path
from typing import Any

import attrs

from gateway.dialect import (
    Accepted,
    Event,
    Fault,
    Item,
    Reason,
    Received,
    Refusal,
    Request,
    Response,
    Submission,
    json_or_fault,
)
from tests.testing import small
from tests.testing.checking import failure, kept, place
from tests.testing.small import subject_of, with_route

EVENT = "POST /small-api/v1/event of an_event_is_stored"
PIXEL = "GET /small-api/v1/pixel of a_pixel_of_a_page_is_stored"
PARSE = (
    "\n  To do: return a Submission from `parse`, or raise Refusal, whatever it is given: look at what a value is"
    " before you use it, and give the submission a Fault if it cannot be read"
)
TRANSLATE = (
    "\n  To do: have the schema refuse such a value, or have `translate` return a Fault or keep the value under"
    " `context.<dialect>`: it gets whatever meets the item's schema, and an event has JSON values only"
)


def parse_of(payload: object, request: Request) -> Submission:
    return Submission(small.credentials(request), (small.item(payload),))


def test_a_dialect_that_survives_whatever_is_sent_passes(tmp_path: Path) -> None:
    assert kept(subject_of(tmp_path), "bodies") == [
        "bodies/any bytes are answered",
        "bodies/any odd body is answered",
        "bodies/a value of another type at any place is answered",
        "bodies/half an emoji at any place is answered",
        "bodies/NUL at any place is answered",
        "bodies/a huge number at any place is answered",
        "bodies/an odd text at any place is answered",
        "bodies/NaN, Infinity or a number beyond a double is answered",
        "bodies/deep nesting is answered",
        "bodies/what is not UTF-8 is answered",
        "bodies/a raw control character is answered",
        "bodies/a member that is left out at any place is answered",
        "bodies/an unknown member is answered",
        "bodies/a key twice is answered",
        "bodies/any odd query is answered",
        "bodies/any odd header is answered",
    ]


def test_a_parse_that_fails_on_a_body_that_is_no_json_is_shown_the_bytes_and_the_line(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        try:
            return parse_of(json.loads(request.body), request)
        except json.JSONDecodeError:
            raise Refusal(Reason.BODY, faults=(Fault("malformed"),)) from None

    subject = subject_of(tmp_path, with_route("event", parse=parse))
    codec = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
    assert str(failure(subject, "bodies/any odd body is answered")) == (
        f"{EVENT} with the body \\xff was answered 500: UnicodeDecodeError: {codec} {place(parse, 2)}{PARSE}"
    )
    assert str(failure(subject, "bodies/any bytes are answered")) == (
        f"{EVENT} with the body \\x80 was answered 500: UnicodeDecodeError:"
        f" 'utf-8' codec can't decode byte 0x80 in position 0: invalid start byte {place(parse, 2)}{PARSE}"
    )


def test_a_parse_that_takes_a_value_for_a_text_is_shown_the_place(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        body, fault = json_or_fault(request.body)
        if isinstance(body, dict) and "id" in body:
            body["id"] = body["id"].strip()
        return attrs.evolve(small.parse_event(request), fault=fault)

    subject = subject_of(tmp_path, with_route("event", parse=parse))
    assert str(failure(subject, "bodies/a value of another type at any place is answered")) == (
        f"{EVENT} with null at /id of the body was answered 500:"
        f" AttributeError: 'NoneType' object has no attribute 'strip' {place(parse, 3)}{PARSE}"
    )


def test_a_parse_with_a_json_decoder_of_its_own_is_shown_what_it_does_not_survive(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        try:
            return parse_of(json.loads(request.body), request)
        except (json.JSONDecodeError, UnicodeDecodeError):
            return Submission(small.credentials(request), fault=Fault("malformed"))

    subject = subject_of(tmp_path, with_route("event", parse=parse))
    digits = "9" * 200
    assert str(failure(subject, "bodies/a huge number at any place is answered")) == (
        f"{EVENT} with {digits}... (5000 bytes) at /id of the body was answered 500:"
        " ValueError: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits;"
        f" use sys.set_int_max_str_digits() to increase the limit {place(parse, 2)}{PARSE}"
    )


def test_a_translate_that_needs_more_than_its_schema_says_is_told_to_return_a_fault(tmp_path: Path) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        payload: Any = item.payload
        return attrs.evolve(small.translate(item, message_id, received), properties=payload["properties"])

    subject = subject_of(tmp_path, with_route("event", translate=translate))
    assert str(failure(subject, "bodies/a member that is left out at any place is answered")) == (
        f"{EVENT} without /properties of the body was answered 500:"
        f" KeyError: 'properties' {place(translate, 2)}{TRANSLATE}"
    )


def test_an_event_with_what_json_does_not_have_is_a_bug_of_translate(tmp_path: Path) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        payload: Any = item.payload
        own = {"user": {1, 2} if payload.get("user") == "x" else "u"}
        return attrs.evolve(small.translate(item, message_id, received), properties=own)

    subject = subject_of(tmp_path, with_route("event", translate=translate))
    assert str(failure(subject, "bodies/a value of another type at any place is answered")) == (
        f'{EVENT} with "x" at /user of the body was answered 500:'
        f" TypeError: Type is not JSON serializable: set{TRANSLATE}"
    )


def test_an_event_that_is_not_canonical_is_a_bug_although_it_is_answered_2xx(tmp_path: Path) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        payload: Any = item.payload
        title = payload.get("properties", {}).get("title", "none")
        return attrs.evolve(small.translate(item, message_id, received), context={"page": {"title": title}})

    case = small.case({"name": "seen", "id": "e-1", "properties": {"title": "A page"}})
    subject = subject_of(tmp_path, with_route("event", translate=translate), {"a_title_is_stored": case})
    assert str(failure(subject, "bodies/a value of another type at any place is answered")) == (
        "POST /small-api/v1/event of a_title_is_stored with null at /properties/title of the body became an event that"
        " is not canonical: /context/page/title of the event breaks the rule `type` of jsonschemas/canonical/event.json"
        "\n  To do: have `translate` put a value only where its type fits (docs/events.md has the places), and keep"
        " another one under `context.small`"
    )


def test_a_query_that_no_client_should_send_is_shown(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        int(request.query.get("name", "0") or "0", 36)
        return small.parse_pixel(request)

    subject = subject_of(tmp_path, with_route("pixel", parse=parse))
    assert str(failure(subject, "bodies/any odd query is answered")) == (
        f"{PIXEL} with ' ' as the query parameter name was answered 500:"
        f" ValueError: invalid literal for int() with base 36: ' ' {place(parse, 1)}{PARSE}"
    )


def test_a_header_whose_bytes_are_not_utf8_is_shown(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        submission = small.parse_event(request)
        agent = request.headers.get("user-agent", "").encode()
        return attrs.evolve(submission, context={"user_agent": agent.decode()})

    subject = subject_of(tmp_path, with_route("event", parse=parse))
    assert str(failure(subject, "bodies/any odd header is answered")) == (
        f"{EVENT} with the header User-Agent: \\xff\\xfe was answered 500: UnicodeEncodeError:"
        f" 'utf-8' codec can't encode characters in position 0-1: surrogates not allowed {place(parse, 2)}{PARSE}"
    )


def test_an_answer_that_is_not_what_it_says_is_shown(tmp_path: Path) -> None:
    def refuse(_request: Request, refusal: Refusal) -> Response:
        return Response(refusal.reason.status, b"<p>no</p>")

    subject = subject_of(tmp_path, attrs.evolve(small.DIALECT, refuse=refuse))
    assert str(failure(subject, "bodies/any odd body is answered")) == (
        f"{EVENT} with an empty body was answered 400 with a body that is no application/json: <p>no</p>"
        "\n  To do: return a Response whose status, headers, `content_type` and body agree, as HTTP has them"
    )


def test_a_render_that_fails_is_told_apart_from_a_parse_that_does(tmp_path: Path) -> None:
    def render(accepted: Accepted) -> Response:
        return Response(200, str(accepted.submission.items[0].payload["user"]).encode(), "text/plain")  # type: ignore[index]

    subject = subject_of(tmp_path, with_route("event", render=render))
    assert str(failure(subject, "bodies/a member that is left out at any place is answered")) == (
        f"{EVENT} without /user of the body was answered 500: KeyError: 'user' {place(render, 1)}"
        "\n  To do: return a Response from `render` for every admitted request, whatever its outcomes are"
    )


def test_a_refuse_that_fails_is_told_apart_too(tmp_path: Path) -> None:
    def refuse(request: Request, refusal: Refusal) -> Response:
        return Response(refusal.reason.status, request.headers["user-agent"].encode(), "text/plain")

    subject = subject_of(tmp_path, attrs.evolve(small.DIALECT, refuse=refuse))
    assert str(failure(subject, "bodies/any odd body is answered")) == (
        f"{EVENT} with an empty body was answered 500: KeyError: 'user-agent' {place(refuse, 1)}"
        "\n  To do: return a Response from `refuse` for every Refusal; `detail` has only the facts that Reason names"
    )
