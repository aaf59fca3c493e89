"""What a corpus case cannot say of translating: the bytes of files, and depths at the edge."""

import json
from typing import Any

import pytest

from dialects.tranthor.parse import UNTYPED, single
from dialects.tranthor.translate import translate
from dialects.tranthor.wire import KINDS
from gateway.dialect import EventWithFiles, Item, Received
from gateway.dialect.decode import MAX_DEPTH, flaws
from gateway.dialect.event import Event, encode
from gateway.dialect.message import Request
from gateway.ingest.schema import load

ARRIVAL = Received("default", None, "2026-01-02T03:04:05.678Z", None, {})


def translated(kind: str, payload: dict[str, Any]) -> Event | EventWithFiles:
    result = translate(Item("message", kind, payload, "m"), "m", ARRIVAL)
    assert isinstance(result, Event | EventWithFiles)
    return result


def test_a_files_bytes_go_beside_the_event_in_the_files_order() -> None:
    files = [
        {"type": "Base64Encoded", "name": "a", "mimeType": "m", "data": "aGVsbG8="},
        {"type": "Base64Encoded", "name": "a", "mimeType": "m", "data": "not base64: é"},
    ]
    attached = translated("track", {"messageId": "m", "userId": "u", "event": "E", "files": files})
    assert isinstance(attached, EventWithFiles)
    assert attached.files == (b"hello", "not base64: é".encode())


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
    assert json.loads(encode(event))["message_id"] == "m"


def test_every_type_of_message_has_a_schema_of_its_name() -> None:
    assert set(load("jsonschemas.tranthor")) == {*KINDS, UNTYPED}


@pytest.mark.parametrize("body", [b"1", b"[]", b'{"messageId":{}}', b'{"messageId":1e400}', b'"\\ud800"', b"{}"])
def test_an_unusable_message_id_is_none_of_the_items(body: bytes) -> None:
    [item] = single("track", Request("POST", "/api/public/apps/track", {}, {}, body, 0)).items
    assert item.message_id is None
