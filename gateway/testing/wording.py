"""How a Failure writes what was sent, what was answered and what is stored. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.dialect import Response
from gateway.testing.corpus.message import Answer

MOST = 200
"""How many characters of bytes are shown."""
MOST_OF_AN_EVENT = 300


def escaped(raw: bytes) -> str:
    """Return bytes as printable ASCII, cut to 200 characters; in quotes where they begin or end with a blank."""
    if not raw:
        return "nothing"
    text = ascii(raw[: MOST + 1])[2:-1]
    shown = text if len(raw) <= MOST and len(text) <= MOST else f"{text[:MOST]}... ({len(raw)} bytes)"
    return shown if raw.strip() == raw else f"'{shown}'"


def with_the_body(raw: bytes) -> str:
    """Return how a request is told from another one: `with the body ...`."""
    return f"with the body {escaped(raw)}" if raw else "with an empty body"


def answer_text(answer: Answer | Response) -> str:
    """Return an answer: its status and its body."""
    return f"{answer.status} {escaped(answer.body)}" if answer.body else f"{answer.status} without a body"


def event_text(event: Mapping[str, Any]) -> str:
    """Return an event as JSON without what is null or empty, in printable ASCII and cut."""
    text = json.dumps({name: value for name, value in event.items() if value not in (None, {})}, separators=(",", ":"))
    return text if len(text) <= MOST_OF_AN_EVENT else f"{text[:MOST_OF_AN_EVENT]}..."
