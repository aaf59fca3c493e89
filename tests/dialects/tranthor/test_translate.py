"""What no corpus case can show of translating: the bytes of files, and nesting of the greatest depth."""

import json
from typing import Any

import pytest

from dialects.tranthor import parse, translate
from dialects.tranthor.parse import UNTYPED
from dialects.tranthor.wire import KINDS
from gateway.dialect import Event, EventWithFiles, Item, Received, Request, flaws
from gateway.dialect.decode import MAX_DEPTH
from gateway.dialect.event import as_dict, encode
from gateway.ingest.schema import load

RECEIVED = Received("default", None, "2026-01-02T03:04:05.678Z", None, {})


def translated(kind: str, payload: dict[str, Any]) -> Event | EventWithFiles:
    result = translate.message(Item("message", kind, payload, "m"), "m", RECEIVED)
    assert isinstance(result, Event | EventWithFiles)
    return result


def test_a_files_bytes_go_beside_the_event_in_the_files_order() -> None:
    files = [
        {"type": "Base64Encoded", "name": "a", "mimeType": "m", "data": "aGVsbG8="},
        {"type": "Base64Encoded", "name": "a", "mimeType": "m", "data": "not base64: é"},
    ]
    with_files = translated("track", {"messageId": "m", "userId": "u", "event": "E", "files": files})
    assert isinstance(with_files, EventWithFiles)
    assert with_files.files == (b"hello", "not base64: é".encode())


@pytest.mark.parametrize("field", ["properties", "context", "unknown", "client"])
def test_what_is_nested_as_deep_as_we_keep_can_be_written(field: str) -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH - 2 if field == "client" else MAX_DEPTH - 1):
        deep = {"a": deep}
    value = {"context": {"tranthor": deep}} if field == "client" else {field: deep}
    payload = {"messageId": "m", "userId": "u", "event": "E", **value}
    assert flaws(payload) == ()
    event = translated("track", payload)
    assert isinstance(event, Event)
    assert json.loads(encode(as_dict(event)))["user_id"] == "u"


def test_every_type_of_message_has_a_schema_of_its_name() -> None:
    assert set(load("jsonschemas.tranthor")) == {*KINDS, UNTYPED}


TOO_LONG = b'{"messageId":%s}' % (b"9" * 1001)


@pytest.mark.parametrize("body", [b"1", b"[]", b'{"messageId":{}}', TOO_LONG, b'"\\ud800"', b"{}"])
def test_an_item_has_no_message_id_if_it_is_unusable(body: bytes) -> None:
    [item] = parse.message("track", Request("POST", "/api/public/apps/track", {}, {}, body, 0)).items
    assert item.message_id is None
