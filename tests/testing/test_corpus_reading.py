"""A file that is no case is told in one line: which file, where in it, and what to do."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gateway.testing import Failure, subject
from gateway.testing.corpus.case import Case, Corpus
from gateway.testing.corpus.reading import FORMAT
from tests.testing.acme import dialect

SENT = {"request": {"path": "/api/acme/v1/events"}}
ANSWER = {"status": 202}


def failure(folder: Path, text: str | bytes, name: str = "a_case.json") -> tuple[str, str]:
    """Return what is wrong with a file, without the folder's name, and what to do."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Failure) as raised:
        subject("acme", folder, dialect)
    assert "\n" not in raised.value.wrong
    return raised.value.wrong.replace(f"{folder}/", ""), raised.value.remedy


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"steps": [}', "line 1, column 12: Expecting value"),
        ('{\n "steps": []\n "x": 1}', "line 3, column 2: Expecting ',' delimiter"),
        ('{"steps": [], "steps": []}', "an object has 'steps' twice; a body that has is written as text"),
        ('{"steps": [NaN]}', "NaN is no JSON; a body that has it is written as text"),
    ],
)
def test_broken_json_is_told_with_its_place(tmp_path: Path, text: str, wrong: str) -> None:
    assert failure(tmp_path, text) == (f"a_case.json: {wrong}", "mend the JSON there")


def test_bytes_that_are_not_utf_8_are_told(tmp_path: Path) -> None:
    assert failure(tmp_path, b'{"source": "\xff"}') == ("a_case.json: byte 12 is not UTF-8", "save it in UTF-8")


@pytest.mark.parametrize(
    ("case", "wrong"),
    [
        ([], "the whole file: [] is not of type 'object'"),
        ({}, "the whole file: 'steps' is a required property"),
        ({"steps": []}, "/steps: [] should be non-empty"),
        (
            {"steps": [SENT], "event": []},
            "the whole file: 'event' is no key of it; there are $schema, source, switches, limit, headers, steps, "
            "events, quarantined",
        ),
        (
            {"steps": [{**SENT, "answer": {"statsu": 200}}]},
            "/steps/0/answer: 'statsu' is no key of it; there are status, headers, json, text, base64, repeat",
        ),
        ({"steps": [{**SENT, "answer": {"status": "200"}}]}, "/steps/0/answer/status: '200' is not of type 'integer'"),
        ({"steps": [{"request": {"path": "track"}}]}, "/steps/0/request/path: 'track' does not match '^/'"),
        (
            {"steps": [{"request": {"path": "/", "json": {}, "text": ""}}]},
            "/steps/0/request: a body is written in one way only: json, text, base64 or repeat",
        ),
        (
            {"steps": [SENT], "events": [{"type": "click", "message_id": "m"}]},
            "/events/0/type: 'click' is not one of ['track', 'page', 'screen', 'identify', 'group', 'alias']",
        ),
    ],
)
def test_what_the_schema_does_not_allow_is_told_with_its_place(tmp_path: Path, case: Any, wrong: str) -> None:
    assert failure(tmp_path, json.dumps(case)) == (f"a_case.json: {wrong}", f"mend it; {FORMAT}")


@pytest.mark.parametrize(
    ("request_", "wrong", "remedy"),
    [
        (
            {"path": "/", "headers": {"X-Key": "a\r\nX-Evil: 1"}},
            "/steps/0/request/headers/X-Key: 'a\\r\\nX-Evil: 1' cannot stand in a header",
            "write a value that fits into one line, without half an emoji, a zero byte or an end of a line",
        ),
        (
            {"path": "/", "headers": {"X Key": ""}},
            "/steps/0/request/headers: 'X Key' is no name of a header",
            "write one as it is sent: X-Api-Key",
        ),
        (
            {"path": "/a b"},
            "/steps/0/request/path: '/a b' cannot stand in the first line of a request",
            "write a path as it is sent: a blank is %20, and whatever else is no printable ASCII is escaped, too",
        ),
        (
            {"path": "/", "method": "GET /"},
            "/steps/0/request/method: 'GET /' is no method of HTTP",
            "write one as it is sent: GET",
        ),
        (
            {"path": "/", "text": "\ud83d"},
            "/steps/0/request/text: it has half an emoji, which is no text in UTF-8",
            "write a body with half an emoji as `json`, which sends its escape, or as `base64`",
        ),
    ],
)
def test_what_cannot_be_sent_is_told_with_its_place(
    tmp_path: Path, request_: dict[str, Any], wrong: str, remedy: str
) -> None:
    case = {"steps": [{"request": request_}]}
    assert failure(tmp_path, json.dumps(case)) == (f"a_case.json: {wrong}", f"{remedy}; {FORMAT}")


def test_half_an_emoji_in_json_is_sent_as_its_escape(tmp_path: Path) -> None:
    (tmp_path / "a_case.json").write_text(json.dumps({"steps": [{"request": {"path": "/", "json": "\ud83d\xe9"}}]}))
    [case] = Corpus.read("acme", tmp_path).cases
    assert [request.body for request in case.requests] == [b'"\\ud83d\xc3\xa9"']


def told(folder: Path) -> tuple[str, str]:
    """Return what is wrong with a corpus, and what to do."""
    with pytest.raises(Failure) as raised:
        Corpus.read("acme", folder)
    return raised.value.wrong.replace(f"{folder}/", ""), raised.value.remedy.replace(str(folder), "FOLDER")


def test_what_only_looks_like_a_case_is_told(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Not looked at")
    (tmp_path / "drafts").mkdir()
    assert Corpus.read("acme", tmp_path).cases == ()
    (tmp_path / "drafts" / "a_case.json").write_text("{}")
    assert told(tmp_path) == (
        "drafts: no case lies in a folder of its own",
        f"move its files into FOLDER; {FORMAT}",
    )
    (tmp_path / "A_CASE.JSON").write_text("{}")
    assert told(tmp_path) == ("A_CASE.JSON: no case ends in .JSON", "rename it: A_CASE.json")


def test_what_is_no_file_is_told_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a_case.json")
    assert told(tmp_path) == ("a_case.json: it is no file", "put a file of JSON there, or take it away")
    (tmp_path / "_credentials.json").symlink_to("nowhere")
    assert told(tmp_path) == (
        "_credentials.json: it cannot be read: No such file or directory",
        "make it a file that you may read",
    )


def test_a_body_that_is_no_base64_is_told(tmp_path: Path) -> None:
    case = {"steps": [{"request": {"path": "/", "base64": "a"}}]}
    wrong, remedy = failure(tmp_path, json.dumps(case))
    assert wrong.startswith("a_case.json: /steps/0/request/base64: Invalid base64-encoded string")
    assert remedy == f"write the body's bytes in base64; {FORMAT}"


@pytest.mark.parametrize(
    ("credential", "wrong"),
    [
        ({"value": "acme_1"}, "/0: 'kind' is a required property"),
        ({"kind": "api_kye", "value": "acme_1"}, "credential kind 'api_kye' is none of the dialect's: api_key"),
        (
            {"kind": "api_key", "value": "acme_1", "scopes": ["write"]},
            "scope 'write' is none of the dialect's: it has none",
        ),
    ],
)
def test_credentials_that_the_dialect_does_not_have_are_told(
    tmp_path: Path, credential: dict[str, object], wrong: str
) -> None:
    assert failure(tmp_path, json.dumps([credential]), "_credentials.json")[0] == f"_credentials.json: {wrong}"


def test_a_switch_that_the_dialect_does_not_have_is_told(tmp_path: Path) -> None:
    wrong, _ = failure(tmp_path, json.dumps({"steps": [SENT], "switches": ["lenient"]}))
    assert wrong == "a_case.json: switch 'lenient' is none of the dialect's: it has none"


def test_a_request_has_the_headers_of_its_case_and_its_own_instead_of_those(tmp_path: Path) -> None:
    steps = [{"request": {"path": "/", "headers": {"accept": "b", "X": "1"}}}, {"request": {"path": "/"}}]
    (tmp_path / "a_case.json").write_text(json.dumps({"headers": {"Accept": "a", "Y": "2"}, "steps": steps}))
    [case] = Corpus.read("acme", tmp_path).cases
    assert [request.headers for request in case.requests] == [
        {"Y": "2", "accept": "b", "X": "1"},
        {"Accept": "a", "Y": "2"},
    ]


def test_a_case_that_leaves_nothing_out_reads_as_the_one_that_does(tmp_path: Path) -> None:
    short = {"steps": [{**SENT, "answer": ANSWER}], "events": [{"type": "track", "message_id": "m"}]}
    (tmp_path / "short.json").write_text(json.dumps(short))
    read = Case.read("acme", tmp_path / "short.json")
    (tmp_path / "whole.json").write_text(json.dumps(read.document))
    assert Case.read("acme", tmp_path / "whole.json").document == read.document
    assert len(read.events[0]) == 16


@pytest.mark.parametrize(
    ("origin", "problem"),
    [
        ("null", "'null' is the Origin of pages that hide theirs; it names no host"),
        ("https://", "'https://' names no host; write it like shop.example.com"),
        ("*.a b", "'a b' is not a host name; write it like shop.example.com"),
    ],
)
def test_an_origin_that_no_credential_can_have_is_told(tmp_path: Path, origin: str, problem: str) -> None:
    keys = [{"kind": "api_key", "value": "a"}, {"kind": "api_key", "value": "b", "origins": ["a.example", origin]}]
    assert failure(tmp_path, json.dumps(keys), "_credentials.json") == (
        f"_credentials.json: /1/origins/1: {problem}",
        f"write it as for `gateway keys add --origin`; {FORMAT}",
    )


def test_origins_are_those_that_a_key_would_have(tmp_path: Path) -> None:
    written = ["https://Blog.example:8443/x", "*.shop.example", "*"]
    keys = [{"kind": "api_key", "value": "a", "origins": written}, {"kind": "api_key", "value": "b"}]
    (tmp_path / "_credentials.json").write_text(json.dumps(keys))
    found = Corpus.read("acme", tmp_path).credentials
    assert [each.origins for each in found] == [("blog.example", "*.shop.example", "*"), ()]
