"""What dialects emit of their own events: the items that were sent, but for what docs/loss.md lists.

What else every dialect promises of `emit`, the kit checks: test_conformance.py.
"""

import json
from collections.abc import Iterator

import pytest

from gateway.dialect import Route
from gateway.ingest.registry import Installed, discover
from gateway.ingest.router import Router
from gateway.testing import Subject, subject
from gateway.testing.corpus.message import SentRequest
from tests.dialects.respelled import differences, known_fields, listed
from tests.operate.loss.make import CORPUS, speakers

SPEAKERS = speakers()
LARGE = 20_000
"""Bytes of a body of which one item is like the other."""


def found(about: Subject) -> Iterator[tuple[str, str]]:
    """Yield how what is emitted of each accepted item of the corpus differs from it."""
    gate, known = about.gate(), known_fields(about.installed)
    router = Router((about.installed,), {})
    for case in about.corpus.cases:
        for step in case.steps if not case.switches else ():
            request = SentRequest.of(step["request"])
            match = router.match("", request.method, request.head.path)
            if match is None or not isinstance(match.endpoint, Route) or len(request.body) > LARGE:
                continue
            gate.storage.forget()
            gate.send(request)
            files = {blob.name: blob.content for blob in gate.storage.blobs}
            items = match.endpoint.parse(request.read(match.path, match.variables)).items if gate.storage.bodies else ()
            if len(items) != len(gate.storage.bodies):
                continue
            for item, line in zip(items, gate.storage.bodies, strict=True):
                event = json.loads(line)
                if "mended" in event["context"].get(about.dialect.name, {}):
                    continue  # the text that was sent is no text
                assert about.dialect.emit is not None
                assert isinstance(item.payload, dict)
                for emitted in about.dialect.emit(event, files).items:
                    yield from differences(item.payload, emitted, known)


@pytest.mark.parametrize("installed", SPEAKERS, ids=[each.dialect.name for each in SPEAKERS])
def test_what_differs_in_an_item_that_goes_back_is_listed_with_its_reason(installed: Installed) -> None:
    name = installed.dialect.name
    assert set(found(subject(name, CORPUS / name))) == listed(installed.dialect.title)


def test_every_dialect_that_comes_with_the_gateway_can_emit() -> None:
    assert [dialect.name for dialect in discover() if dialect.emit is None] == []
