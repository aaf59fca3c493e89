"""Secrets with a name: each place where a dialect takes a credential gets one of its own, to look for."""

import gzip
import itertools
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs

from gateway.dialect import Dialect
from gateway.testing import Subject
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.places import json_of
from gateway.testing.samples.sample import Sample
from tests.faults.wire import request
from tests.kit.endpoints import shown
from tests.kit.of_dialects import subjects


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
        headers = header_places()
        for name, each in subjects().items():
            for sample in of_each_route(each):
                path = sample.request.head.path
                for body, (place, put) in itertools.product(bodies(sample), headers):
                    for secret in (self.known[name], self.new(f"{name} {path} {place}")):
                        yield request(path, body, {place: put(secret)})
        for each in subjects().values():
            for field in secret_fields(each.dialect):
                yield from self._in_bodies(each, field)
        yield from self._odd()

    def _in_bodies(self, each: Subject, field: str) -> Iterator[bytes]:
        """Yield a secret in a field of the body, where it belongs and where it does not, plain and escaped."""
        dialect = each.dialect
        first = dialect.kinds[0].places[0]
        opened = dict(shown(SentRequest("POST", "/"), first, self.known[dialect.name]).headers)
        for sample in of_each_route(each):
            path, item = sample.request.head.path, _object_in(json_of(sample.request))
            for secret in (self.known[dialect.name], self.new(f"{dialect.name} {path} body")):
                good = {**item, field: secret}
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
            yield request(
                "/track", {"name": "seen"}, {"Authorization": f"Bearer {self.new('a malformed header')}{bad}"}
            )
        for path in ("/nowhere", "/v1/nowhere", "/api/public/nowhere", "/-/receipts/1", "/-/metrics", "/-/nothing"):
            yield request(path, None, {"Authorization": f"Bearer {self.new(path)}", "Cookie": self.new("cookie")})
        yield request("/track", None, {"x-api-key": self.new("a GET")})
        large = {"Authorization": f"Bearer {self.new('too large')}", "Content-Length": "99999999"}
        yield request("/v1/events", None, large, "POST")


Put = Callable[[str], str]
"""Makes a header's value of a secret."""
EVERYWHERE: tuple[tuple[str, Put], ...] = (
    ("Authorization", lambda secret: f"Bearer {secret}"),
    ("authorization", lambda secret: f"Basic {secret}"),
    ("AUTHORIZATION", lambda secret: secret),
    ("Cookie", lambda secret: f"session={secret}"),
)


def header_places() -> list[tuple[str, Put]]:
    """Return the headers in which any dialect takes a secret, and some in which clients show one."""
    kinds = [kind for each in subjects().values() for kind in each.dialect.kinds if not kind.public]
    own = {place.name.lower() for kind in kinds for place in kind.places if place.where == "header"}
    plain: list[tuple[str, Put]] = [(name, lambda secret: secret) for name in sorted(own - {"authorization"})]
    return [*EVERYWHERE, *plain]


def secret_fields(dialect: Dialect) -> list[str]:
    """Return the fields of a body in which a dialect takes a secret, or knows that clients send one."""
    places = [place for kind in dialect.kinds if not kind.public for place in kind.places if place.where == "body"]
    return sorted({*dialect.secret_fields, *(place.name for place in places)})


def of_each_route(each: Subject) -> list[Sample]:
    """Return a request with a body to each route of a dialect."""
    first: dict[str, Sample] = {}
    for sample in each.samples:
        if sample.request.body:
            first.setdefault(sample.route.name, sample)
    return list(first.values())


def bodies(sample: Sample) -> tuple[object, ...]:
    """Return the body of an accepted request, and what is wrong with it in one way or another."""
    good = json_of(sample.request)
    return good, [good, 7], {"events": [good]}, {"batch": [good, {"type": "track"}]}, {}, b"{not json"


def _object_in(body: Any) -> dict[str, Any]:
    return body if isinstance(body, dict) else body[0] if isinstance(body, list) and body else {}


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
