"""Requests that a proxy or a browser has recorded, from a HAR: only what a dialect reads of them. Pure."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gateway.operate.importing.found import RecordedRequest
from gateway.operate.importing.json_stream import MAX_ENTRY, JsonStream, elements, into

MAX_HEADERS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entries(blocks: Iterable[bytes], name: str) -> Iterator[RecordedRequest | None]:
    """Yield the requests of a HAR in its order, None for what is none. Raises ImportProblem."""
    stream = JsonStream(blocks, name)
    if not into(stream, "log") or not into(stream, "entries") or not stream.take("["):
        raise stream.problem("it has no list log.entries")
    for number, (entry, _) in enumerate(elements(stream, MAX_ENTRY), 1):
        try:
            yield _request(number, entry)
        except (KeyError, TypeError, ValueError, AttributeError):
            yield None


def _request(number: int, entry: Any) -> RecordedRequest:
    recorded = entry["request"]
    address = urlsplit(str(recorded["url"]))
    query: dict[str, str] = {}
    for name, value in parse_qsl(address.query, keep_blank_values=True, errors="surrogateescape"):
        query.setdefault(name, value)
    headers = {
        str(each["name"]).lower(): str(each["value"])
        for each in recorded.get("headers", ())[:MAX_HEADERS]
        if not str(each["name"]).startswith(":")
    }
    return RecordedRequest(
        line=number,
        method=str(recorded["method"]).upper(),
        host=(address.netloc.rpartition("@")[2] or headers.get("host", "")).lower(),
        path=address.path or "/",
        query=query,
        headers=headers,
        body=_body(recorded.get("postData") or {}),
        started=_started(entry.get("startedDateTime")),
    )


def _body(data: Mapping[str, Any]) -> bytes:
    text = data.get("text")
    if text is None:
        return b""
    body = base64.b64decode(text) if data.get("encoding") == "base64" else str(text).encode("utf-8", "surrogatepass")
    return inflated(body) if body[:2] == b"\x1f\x8b" else body


def inflated(body: bytes) -> bytes:
    """Return a body that is gzip as its server read it. Raises ValueError on what is none, or too large."""
    stream = zlib.decompressobj(wbits=31)
    try:
        found = stream.decompress(body, MAX_ENTRY)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not stream.eof:
        raise ValueError("it ends early, or is too large")
    return found


def _started(text: object) -> int | None:
    try:
        return (datetime.fromisoformat(str(text)[:40]).astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def is_har(head: bytes) -> bool:
    """Return whether a file that begins so is a HAR: an object whose first field is `log`."""
    start = head[:4096].lstrip()
    if not start.startswith(b"{"):
        return False
    try:
        name, _ = json.JSONDecoder().raw_decode(start[1:].lstrip().decode("utf-8", "replace"))
    except ValueError:
        return False
    return bool(name == "log") and not _is_line(head)


def _is_line(head: bytes) -> bool:
    """Return whether the first line is a whole JSON value, and others follow: JSON lines that have a field `log`."""
    line, newline, rest = head.partition(b"\n")
    if not newline or not rest.strip():
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
