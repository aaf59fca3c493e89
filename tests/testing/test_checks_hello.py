"""The checks of what is printed at the first start, with commands that send an event and others that do not."""

from pathlib import Path

import attrs
import pytest

from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.curl import request_of
from tests.testing import small
from tests.testing.checking import failure, kept

SETTING, CURL = "hello/the line for the SDK names the gateway", "hello/the curl command sends an event that is stored"
URL = "http://gateway.example"
KEY = "sml_" + "0f1e2d3c" * 6
REMEDY = "write a command in Dialect.curl that sends one event with {value}, of the kind api_key, to {url}"


def test_a_good_dialect_keeps_both_promises(tmp_path: Path) -> None:
    assert kept(small.subject_of(tmp_path), "hello") == [SETTING, CURL]


def test_a_setting_for_another_server_is_told(tmp_path: Path) -> None:
    dialect = attrs.evolve(small.DIALECT, setting="SMALL_URL=https://small.example")
    said = failure(small.subject_of(tmp_path, dialect), SETTING)
    assert said.wrong == (
        "Dialect.setting is 'SMALL_URL=https://small.example', without {url}: whoever copies it sends to another server"
    )
    assert said.remedy == "write {url} where the vendor's SDK takes the address of its server"


@pytest.mark.parametrize(
    ("command", "came"),
    [
        (
            "curl {url}/small-api/v1/event -H 'x-key: {value}' -d '{\"name\":\"hello\"}'",
            'was answered 401 {"refused":"no_credential"}',
        ),
        (
            "curl {url}/small-api/v1/event -H 'x-small-key: {value}' -d '{\"nam\":\"hello\"}'",
            'was answered 400 {"refused":"invalid"}',
        ),
        (
            "curl {url}/small-api/v1/events -H 'x-small-key: {value}' -d '{\"events\":[{}]}'",
            'was answered 202 {"ids":["00000000-0000-7000-8000-000000000001"]}; 0 events of it were stored,'
            " 1 quarantined",
        ),
        ("curl https://small.example/v1", "cannot be read: it sends to https://small.example/v1, not to {url}"),
        ("curl '{url}", "cannot be read: No closing quotation"),
        ("curl -H", "cannot be read: argument -H/--header: expected one argument"),
        ("wget {url}", "cannot be read: it does not begin with curl"),
    ],
)
def test_a_command_that_sends_no_event_is_told(tmp_path: Path, command: str, came: str) -> None:
    said = failure(small.subject_of(tmp_path, attrs.evolve(small.DIALECT, curl=command)), CURL)
    shown = command.replace("{url}", URL).replace("{value}", KEY)

    assert said.wrong == f"the command {shown} {came}"
    assert said.remedy == REMEDY


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (f"curl {URL}", SentRequest("GET", "/", {}, b"")),
        (f"curl -sS '{URL}/a?b=c&d'", SentRequest("GET", "/a?b=c&d", {}, b"")),
        (
            f"curl -XPUT --data a=b -u me:pw -A agent -o /dev/null --compressed {URL}/a",
            SentRequest(
                "PUT",
                "/a",
                {
                    "Authorization": "Basic bWU6cHc=",
                    "User-Agent": "agent",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                b"a=b",
            ),
        ),
        (
            f"""curl {URL}/a -H 'content-type: a/b' -d '{{"a":'"$(date)"'}}'""",
            SentRequest("POST", "/a", {"content-type": "a/b"}, b'{"a":$(date)}'),
        ),
    ],
)
def test_a_command_is_read_as_curl_sends_it(command: str, request_: SentRequest) -> None:
    assert request_of(command, URL) == request_
