"""hypothesis beyond the bodies: headers, queries, encodings, and what an Idempotency-Key makes of a changed body."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.app import build_handler
from gateway.config import Config
from gateway.dialect.message import Response
from gateway.http.handler import RequestHead
from gateway.ingest.registry import discover
from gateway.testing.memory import MemoryStorage
from tests.kit.cases import body_of, keyring
from tests.property.values import mutated, requests_of

DIALECTS = discover()
NAMES = [dialect.name for dialect in DIALECTS]
BUILT = build_handler(Config(), DIALECTS, MemoryStorage(), keyring(DIALECTS))
BOUNDED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

# What aiohttp lets through: bytes that are not UTF-8 come as surrogates.
TEXTS = st.text(st.characters(exclude_characters="\r\n\0"), max_size=40)
PERCENTS = st.lists(st.sampled_from(["%00", "%ff", "%ED%A0%80", "a", "=", "&", "[", "]", "[]", "{", "1e999", "+", "%"]))
PLACES = [place for dialect in DIALECTS for kind in dialect.kinds for place in kind.places if place.where == "header"]
COMMON = {"content-encoding", "content-type", "host", "idempotency-key", "origin", "user-agent", "x-forwarded-for"}
OWN = {name.lower() for dialect in DIALECTS for name in dialect.headers} | {place.name.lower() for place in PLACES}
HEADERS = sorted(COMMON | OWN)
FIXED_TEXTS = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Basic \ud800",
    "gzip",
    "deflate, gzip",
    "gzip" + ", gzip" * 50,
    "null",
    "k",
]


def sent(request: dict[str, Any], body: bytes, headers: dict[str, str], query: str = "") -> Response:
    """Return the answer to a request of the corpus with other headers, a longer query or another body."""
    path, _, said = request["path"].partition("?")
    named = {name.lower(): value for name, value in request.get("headers", {}).items()} | headers
    arrived = RequestHead(request.get("method", "POST"), path, said + query, named)
    response = asyncio.run(BUILT.route(arrived).answer(body))
    BUILT.cors(arrived)
    return response


@pytest.mark.parametrize("dialect", NAMES)
@BOUNDED
@given(data=st.data())
def test_mutated_headers_queries_and_encodings_are_answered(dialect: str, data: st.DataObject) -> None:
    request = data.draw(st.sampled_from(requests_of(dialect)))
    texts = TEXTS | st.sampled_from(FIXED_TEXTS)
    headers = data.draw(st.dictionaries(st.sampled_from(HEADERS), texts, max_size=4))
    query = "&" + "".join(data.draw(PERCENTS))
    assert sent(request, body_of(request), headers, query).status < 500


@pytest.mark.parametrize("dialect", NAMES)
@BOUNDED
@given(data=st.data())
def test_under_one_idempotency_key_only_the_same_content_succeeds(dialect: str, data: st.DataObject) -> None:
    posts = [each for each in requests_of(dialect) if each.get("method", "POST") == "POST"]
    request = data.draw(st.sampled_from(posts))
    key = {"idempotency-key": data.draw(st.text("abcdef0123456789", min_size=12, max_size=40))}
    body = body_of(request)
    other = data.draw(mutated(body))
    assume(other != body)
    first = sent(request, body, key)
    assume(200 <= first.status < 300 and "OPTIONS" not in request.get("method", ""))
    again, changed = sent(request, body, key), sent(request, other, key)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert 400 <= changed.status < 500, json.dumps([first.status, changed.status])
