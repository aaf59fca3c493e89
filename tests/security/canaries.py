"""Secrets with a name: each place where a dialect takes a credential gets one of its own, to look for."""

import gzip
import itertools
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from tests.faults.wire import request

PATHS = {
    "databuddy": ("/track", "/batch", "/llm", "/identify"),
    "appizer": ("/v1/events", "/v1/events/batch", "/v1/users"),
    "tranthor": ("/api/public/apps/track", "/api/public/apps/batch", "/api/public/apps/page"),
    "browsee": ("/api/v1/track", "/api/v1/identify"),
}
EVENT: dict[str, object] = {
    "name": "seen",
    "event": "seen",
    "event_name": "seen",
    "type": "track",
    "user_id": "u",
    "userId": "u",
    "messageId": "m",
}
BODIES: tuple[object, ...] = (
    EVENT,
    [EVENT, 7],
    {"events": [EVENT]},
    {"batch": [EVENT, {"type": "track"}]},
    {},
    b"{not json",
)


@attrs.define
class Canaries:
    """Makes secrets and remembers where each was put. The values in `known` open a project."""

    places: dict[str, str] = attrs.field(factory=dict)
    known: dict[str, str] = attrs.field(factory=dict)
    _numbers: Iterator[int] = attrs.field(factory=itertools.count)

    def new(self, place: str) -> str:
        """Return a secret for a place; no two share more than their first letters."""
        number = next(self._numbers)
        secret = f"canary{number:04d}{number * 7919 % 10**8:08d}{number * 104729 % 10**8:08d}"
        self.places[secret] = place
        return secret

    def requests(self) -> Iterator[bytes]:
        """Yield requests with a secret in each credential place, known and unknown, with good and bad bodies."""
        for dialect, paths in PATHS.items():
            for path, body in itertools.product(paths, BODIES):
                for place, put in HEADERS.items():
                    for secret in (self.known[dialect], self.new(f"{dialect} {path} {place}")):
                        yield request(path, body, {place: put(secret)})
        yield from self._in_bodies()
        yield from self._odd()

    def _in_bodies(self) -> Iterator[bytes]:
        """Yield Browsee's key and Segment's writeKey, where they belong and where they do not, plain and escaped."""
        for dialect, field in (("browsee", "apiKey"), ("tranthor", "writeKey")):
            opened = {} if dialect == "browsee" else {"Authorization": f"Basic {self.known['tranthor']}"}
            for path in PATHS[dialect]:
                for secret in (self.known[dialect], self.new(f"{dialect} {path} body")):
                    good = {**EVENT, field: secret}
                    for body in (good, [good], {"batch": [good, {field: secret}], field: secret}, {field: secret}):
                        yield request(path, body, opened)
                        packed = gzip.compress(json.dumps(body).encode())
                        yield request(path, packed, {**opened, "Content-Encoding": "gzip"})
                    whole = json.dumps(good).encode()
                    yield request(path, whole[:-1], opened)
                    yield request(path, whole.replace(b"canary", b"\\u0063anary"), opened)
                    yield request(path, whole[:-1] + b",", opened)

    def _odd(self) -> Iterator[bytes]:
        """Yield secrets in requests that are no HTTP, that go nowhere, or that ask for what only an admin may see."""
        for bad in ("\x0b", "\x01", "\x7f"):
            yield request("/track", EVENT, {"Authorization": f"Bearer {self.new('a malformed header')}{bad}"})
        for path in ("/nowhere", "/v1/nowhere", "/api/public/nowhere", "/-/receipts/1", "/-/metrics", "/-/nothing"):
            yield request(path, None, {"Authorization": f"Bearer {self.new(path)}", "Cookie": self.new("cookie")})
        yield request("/track", None, {"x-api-key": self.new("a GET")})
        large = {"Authorization": f"Bearer {self.new('too large')}", "Content-Length": "99999999"}
        yield request("/v1/events", None, large, "POST")


HEADERS: dict[str, Callable[[str], str]] = {
    "Authorization": lambda secret: f"Bearer {secret}",
    "authorization": lambda secret: f"Basic {secret}",
    "AUTHORIZATION": lambda secret: secret,
    "x-api-key": lambda secret: secret,
    "PublicWriteKey": lambda secret: secret,
    "Cookie": lambda secret: f"session={secret}",
}


def texts_of(data: Path) -> Iterator[tuple[str, bytes]]:
    """Yield everything that a data directory holds: its files as they are, and its values unpacked."""
    for file in sorted(data.rglob("*")):
        if file.is_file():
            yield str(file.relative_to(data)), file.read_bytes()
    for file in sorted(data.glob("*.db")):
        connection = sqlite3.connect(file)
        connection.text_factory = bytes
        tables = [
            name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    if isinstance(value, bytes):
                        yield f"{file.name}: {table}", unpacked(value)
        connection.close()


def unpacked(value: bytes) -> bytes:
    """Return a value with its compression and its JSON escapes undone, where it has any."""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        try:
            value = zlib.decompressobj(window).decompress(value)
            break
        except zlib.error:
            continue
    return value.replace(b"\\u0063", b"c")
