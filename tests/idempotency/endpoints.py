"""Sends to the endpoints of all dialects with an Idempotency-Key, and says how each dialect refuses one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.corpus.message import SentRequest
from gateway.testing.gate import Gate, exchanged
from gateway.testing.samples.variants import with_idempotency_key
from tests.kit.endpoints import Endpoint, endpoints, key_of
from tests.kit.of_dialects import subjects
from tests.kit.serving import add_key

PROJECT = "shop"
TIME_BOUND = ("Date", "X-RateLimit-Reset", "Idempotency-Replayed", "Connection")
MANY = tuple(endpoint for endpoint in endpoints() if endpoint.items)
KEYS = {name: key_of(each.dialect.kinds[0]) for name, each in subjects().items()}
"""The credential of each dialect that `add_keys` adds."""


def add_keys(store: Path | str) -> None:
    """Add a credential for each dialect to a data directory, or to a store by its URL."""
    for name, each in subjects().items():
        add_key(store, name, each.dialect.kinds[0].name, KEYS[name], project=PROJECT)


async def in_memory(endpoint: Endpoint, *requests: tuple[SentRequest, str]) -> tuple[int, bytes]:
    """Return status and body of the last answer of a gateway in memory to some requests, each with its key."""
    own = KEYS[endpoint.dialect.name]
    gate = Gate.of(endpoint.dialect, [CorpusCredential(endpoint.kind.name, own)])
    keyed = [with_idempotency_key(endpoint.shown(request, own), key) for request, key in requests]
    *_, answer = [await exchanged(gate.handler, request) for request in keyed]
    return answer.status, answer.body


@attrs.frozen
class Answer:
    """What came back: everything that has no clock in it, and whether it was said to be a replay."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    replayed: bool = attrs.field(eq=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


async def send(
    session: aiohttp.ClientSession,
    url: str,
    endpoint: Endpoint,
    request: SentRequest,
    key: str | None,
    credential: str | None = None,
) -> Answer:
    """Send a request with an Idempotency-Key, and with the credential of `add_keys` if no other one is given."""
    request = endpoint.shown(request, credential or KEYS[endpoint.dialect.name])
    if key is not None:
        request = with_idempotency_key(request, key)
    async with session.request(
        request.method, url + request.target, data=request.body, headers=request.headers
    ) as answer:
        steady = {name: value for name, value in answer.headers.items() if name not in TIME_BOUND}
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return Answer(answer.status, await answer.read(), steady, replayed)
