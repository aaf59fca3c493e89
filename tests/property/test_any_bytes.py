"""Whatever a client sends, it gets an answer in the vendor's voice: never a 5xx, never an exception."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.app import build_handler
from gateway.config import Config
from gateway.http.handler import RequestHead
from gateway.ingest.handler import IngestHandler
from gateway.ingest.registry import discover
from gateway.ingest.schema import load
from tests.kit.cases import body_of, keyring
from tests.kit.recording import RecordingStorage
from tests.property.values import mutated, requests_of

DIALECTS = discover()
CANONICAL = load("jsonschemas.canonical")["event"]
STORAGE = RecordingStorage()
BUILT = build_handler(Config(), DIALECTS, STORAGE, keyring(DIALECTS))
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def status_of(built: IngestHandler, request: dict[str, Any], body: bytes) -> int:
    path, _, query = request["path"].partition("?")
    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
    arrived = RequestHead(request.get("method", "POST"), path, query, headers)
    return (await built.route(arrived).answer(body)).status


@pytest.mark.parametrize("dialect", [dialect.name for dialect in DIALECTS])
@BOUNDED
@given(data=st.data())
def test_mutated_requests_are_answered_and_what_is_stored_is_canonical(dialect: str, data: st.DataObject) -> None:
    request = data.draw(st.sampled_from(requests_of(dialect)))
    body = data.draw(mutated(body_of(request)) | st.binary(max_size=64))
    before = len(STORAGE.bodies)
    assert asyncio.run(status_of(BUILT, request, body)) < 500
    assert [line for line in STORAGE.bodies[before:] if not CANONICAL.is_valid(json.loads(line))] == []


@pytest.mark.parametrize("dialect", [dialect.name for dialect in DIALECTS])
def test_hostile_bodies_are_answered_by_every_route(dialect: str) -> None:
    [mine] = [each for each in DIALECTS if each.name == dialect]
    hostile = [b"", b"\xff", b"[" * 100_000, b"NaN", b'{"a":1e400}', b'"\\ud800"', b"[" * 900 + b"]" * 900, b"9" * 4400]
    hostile += [
        b"null",
        b"0",
        b"[]",
        b"{}",
        b"[null]",
        b'[{"\\u0000":[]}]',
        b'{"batch":[1]}',
        b'{"events":[[]]}',
        b"\xef\xbb\xbf{}",
    ]
    for route in mine.routes_for(frozenset()):
        for body in hostile:
            for request in ({"path": path, "method": route.method} for path in route.paths):
                assert asyncio.run(status_of(BUILT, request, body)) < 500
