"""A request and an answer as the corpus writes them, as values. No IO.

A body is written in one of these ways:

    {"json": ...} {"text": "..."} {"base64": "..."}
    {"repeat": {"before": "", "unit": "[", "times": 100000, "after": ""}}
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import attrs

from gateway.dialect import Request
from gateway.http.handler import RequestHead
from gateway.http.query import parse_query

NOW = 1767323045678
"""When every request of the corpus arrives, in milliseconds."""
NOW_TEXT = "2026-01-02T03:04:05.678Z"
"""The same time as events have it."""
_HALF = re.compile(r"[\ud800-\udfff]")


def body_of(message: Mapping[str, Any]) -> bytes:
    """Return the body of a request or an answer; `b""` where none is written. Half an emoji in JSON is an escape."""
    if "json" in message:
        text = json.dumps(message["json"], ensure_ascii=False, separators=(",", ":"))
        return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()
    if "text" in message:
        return str(message["text"]).encode()
    if "base64" in message:
        return base64.b64decode(message["base64"])
    if "repeat" in message:
        parts = message["repeat"]
        return str(parts.get("before", "") + parts["unit"] * parts["times"] + parts.get("after", "")).encode()
    return b""


@attrs.frozen
class SentRequest:
    """A request before it is on the wire. `target` is its path and query as they are sent.

    Names of `headers` are as they are sent. In a value `\\udcff` stands for the byte FF, which is not UTF-8 (Python's
    `surrogateescape`).
    """

    method: str
    target: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    client_ip: str | None = None

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> "SentRequest":
        """Return the request of a step, as the corpus writes it."""
        return cls(
            written.get("method", "POST"),
            written["path"],
            dict(written.get("headers", {})),
            body_of(written),
            written.get("client_ip"),
        )

    @property
    def head(self) -> RequestHead:
        """Return what a server knows of it before it reads the body."""
        path, _, query = self.target.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return RequestHead(self.method, path, query, headers, self.client_ip)

    def read(self, path: str | None = None, variables: Mapping[str, str] | None = None) -> Request:
        """Return it as a dialect's `parse` gets it; `path` is the normalized one where it differs."""
        head = self.head
        return Request(
            self.method,
            path or head.path,
            parse_query(head.query) if head.query else {},
            head.headers,
            self.body,
            NOW,
            self.client_ip,
            variables or {},
        )

    def with_header(self, name: str, value: str | None) -> "SentRequest":
        """Return it with one header in the place of any of that name, or without it for None."""
        headers = {key: kept for key, kept in self.headers.items() if key.lower() != name.lower()}
        return attrs.evolve(self, headers=headers if value is None else {**headers, name: value})


@attrs.frozen
class Answer:
    """What came back: status, headers by their names as sent, and the body, `b""` where there is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body's JSON value. Raises ValueError."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """Return a header, its name in any case."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)
