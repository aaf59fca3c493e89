"""Everything that a gateway keeps or says of the requests that it got, as texts with their places. Pure."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from gateway.records.raw_request import RawRequest, decompress
from gateway.testing.corpus.message import Answer
from gateway.testing.gate import Gate

Kept = tuple[str, str, str]
"""What sort of thing it is (`event`, `quarantine`, `rejection`, `answer`, `log`), its place in words, and its text."""


def kept(gate: Gate) -> Iterator[Kept]:
    """Yield what a gateway has stored, kept aside and kept of what it rejected, since it was last emptied."""
    for body in gate.storage.bodies:
        yield "event", "the event", body.decode("utf-8", "replace")
    for item in gate.storage.quarantined:
        yield "quarantine", "the payload of the quarantined item", item.payload.decode("utf-8", "replace")
        yield "quarantine", "the faults of the quarantined item", item.faults.decode("utf-8", "replace")
    for entry in gate.storage.entries:
        if entry.request is not None and entry.request.compressed:
            yield from _of_request(
                "quarantine", "the request of the quarantined item", decompress(entry.request.compressed)
            )
    for pending in gate.rejections.pending:
        record = pending.record()
        yield "rejection", "the faults of the rejected request", record.faults
        yield from _of_request("rejection", "the rejected request", record.raw)


def said(answer: Answer) -> Iterator[Kept]:
    """Yield the parts of an answer."""
    yield "answer", "the body of the answer", answer.body.decode("utf-8", "replace")
    for name, value in answer.headers.items():
        yield "answer", f"the header {name} of the answer", value


def place_in(text: str, holds: Callable[[str], bool]) -> str | None:
    """Return the path to the first text inside some JSON of which something holds; None if it is no JSON, or none."""
    try:
        return place_of(json.loads(text), holds)
    except ValueError:
        return None


def place_of(value: Any, holds: Callable[[str], bool]) -> str | None:
    """Return the path to the first text inside a JSON value of which something holds."""
    return next((path for path, each in _texts(value, ()) if holds(each)), None)


def _of_request(sort: str, what: str, raw: RawRequest) -> Iterator[Kept]:
    for name, value in attrs.asdict(raw).items():
        if value is None:
            continue
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        yield sort, f"the {name} of {what}", text


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each text inside a JSON value with its path; the name of a member stands in the path of its object."""
    if isinstance(value, str):
        yield ".".join(path), value
    elif isinstance(value, Mapping):
        for name, child in value.items():
            yield ".".join(path), name
            yield from _texts(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _texts(child, (*path, str(index)))
