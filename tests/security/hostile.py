"""The worst requests that we know, by dialect and kind, and well-formed ones of the same size. No IO here.

A body is as large as its dialect lets it be, unless a smaller one is worse.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import attrs

from tests.faults.traffic import Keys
from tests.faults.wire import request
from tests.kit.bounds import MIB, Hostile
from tests.security.hostile_http import HEADS, WIRE

MOST_ITEMS, MOST_VALUES = 20_000, 250_000
SPARE = 400  # bytes of a body for what stands around its large part
SMALLEST_CAP, CAPS = 2 * MIB, {"tranthor": 5 * MIB}
LONG_NUMBER = b"1234567890123456789012"


@attrs.frozen
class Dialect:
    """How a dialect's requests are made: `one` around a value of `properties`, `many` around items, if it has batches.

    `track` and `batch` are paths, `subject` is the field that names the person. `fields` stand in every item.
    """

    name: str
    track: str
    batch: str
    subject: str
    fields: bytes
    opening: bytes = b"["
    closing: bytes = b"]"
    has_batches: bool = True

    @property
    def cap(self) -> int:
        """Return how large a body may be, in bytes."""
        return CAPS.get(self.name, SMALLEST_CAP)

    def headers(self, keys: Keys) -> dict[str, str]:
        """Return the headers with the dialect's credential."""
        schemes = {"databuddy": "Bearer", "appizer": "Bearer", "tranthor": "Basic"}
        scheme = schemes.get(self.name)
        return {} if scheme is None else {"Authorization": f"{scheme} {keys[self.name]}"}

    def item(self, keys: Keys, more: bytes) -> bytes:
        """Return an item with further fields, or that has them in place of its own."""
        key = b'"apiKey":"%s",' % keys["browsee"].encode() if self.name == "browsee" else b""
        return b"{%s%s,%s}" % (key, self.fields, more)

    def many(self, items: bytes) -> bytes:
        """Return a batch of items, which are one text."""
        return self.opening + items + self.closing


DIALECTS = (
    Dialect("databuddy", "/track", "/track", "anonymousId", b'"name":"seen"'),
    Dialect("appizer", "/v1/events", "/v1/events/batch", "user_id", b'"event_name":"seen"', b'{"events":[', b"]}"),
    Dialect(
        "tranthor",
        "/api/public/apps/track",
        "/api/public/apps/batch",
        "userId",
        b'"type":"track","messageId":"m","event":"seen"',
        b'{"batch":[',
        b"]}",
    ),
    Dialect("browsee", "/api/v1/track", "/api/v1/track", "userId", b'"event":"seen"', has_batches=False),
)


def fill(piece: bytes, size: int, between: bytes = b",") -> bytes:
    """Return a piece as often as it fits into a size, with something between any two."""
    return between.join([piece] * max(1, (size - len(piece)) // (len(piece) + len(between))))


def names(count: int) -> bytes:
    """Return the inside of an object of so many members."""
    return b",".join(b'"%x":1' % number for number in range(count))


ORDINARY = json.dumps(
    {
        "url": "https://shop.example/products/42?ref=mail",
        "title": "A product's page",
        "plan": "pro",
        "amount": 129.5,
        "seats": 3,
        "is_new": True,
        "tags": ["a", "b"],
        "cart": [{"sku": "sku-1", "price": 12.5, "count": 2}],
    },
    separators=(",", ":"),
).encode()


def well_formed(keys: Keys, size: int) -> Hostile:
    """Return a request whose body is ordinary events, of up to a size: what the bounds of CPU are held against."""
    dialect = DIALECTS[0]
    piece = dialect.item(keys, b'"anonymousId":"u-00000000","properties":%s' % ORDINARY)
    items = [piece.replace(b"00000000", b"%08d" % at) for at in range(max(1, size // (len(piece) + 1)))]
    body = dialect.many(b",".join(items))
    return Hostile(request(dialect.batch, body, dialect.headers(keys)), len(body), len(items))


# Bodies

VALUES: Mapping[str, Callable[[int], bytes]] = {
    "lists in lists": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "objects in objects": lambda size: b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6),
    "lists that never end": lambda size: b"[" * size,
    "250,001 numbers": lambda size: b"[%s]" % fill(b"0", 2 * (MOST_VALUES + 1)),
    "numbers": lambda size: b"[%s]" % fill(b"0", size),
    "empty lists": lambda size: b"[%s]" % fill(b"[]", size),
    "empty objects": lambda size: b"[%s]" % fill(b"{}", size),
    "empty texts": lambda size: b"[%s]" % fill(b'""', size),
    "half a million keys": lambda size: b"{%s}" % names(min(500_000, size // 11)),
    "one key many times": lambda size: b"{%s}" % fill(b'"k":1', size),
    "a huge key": lambda size: b'{"%s":1}' % (b"k" * size),
    "a long key over many values, unfit": lambda size: b'{"x":1e400,"%s":[%s]}' % (b"k" * 4000, fill(b"0", 499_000)),
    "a long key over many values, and a NUL": lambda size: (
        b'{"\\u0000":"\\u0000","%s":[%s]}' % (b"k" * 4000, fill(b"0", 499_000))
    ),
    "a huge text": lambda size: b'"%s"' % (b"x" * size),
    "escapes": lambda size: b'"%s"' % (b"\\u0041" * (size // 6)),
    "quotes": lambda size: b'"%s"' % (b'\\"' * (size // 2)),
    "backslashes": lambda size: b'"%s"' % (b"\\\\" * (size // 2)),
    "escaped quotes behind escapes": lambda size: b'"%s"' % (b'\\\\\\"' * (size // 4)),
    "texts of escaped quotes": lambda size: b"[%s]" % fill(b'"\\""', size),
    "half an emoji": lambda size: b'"%s"' % (b"\\ud83d" * (size // 6)),
    "half emojis, one a text": lambda size: b"[%s]" % fill(b'"\\ud800"', min(size, 9 * 240_000)),
    "half emojis, one a key": lambda size: (
        b"{%s}" % b",".join(b'"\\ud800%x":0' % at for at in range(min(size, 15 * 120_000) // 15))
    ),
    "small objects": lambda size: b"[%s]" % fill(b'{"k":"x"}', min(size, 10 * 120_000)),
    "small objects, and half an emoji": lambda size: (
        b'["\\ud800",%s]' % fill(b'{"k":"x"}', min(size, 10 * 120_000) - 10)
    ),
    "control characters": lambda size: b'"%s"' % (b"\\u0000" * (size // 6)),
    "a long number beside many": lambda size: b"[%s,%s]" % (LONG_NUMBER, fill(b"0.5", min(size, 4 * 240_000))),
    "long numbers": lambda size: b"[%s]" % fill(LONG_NUMBER, size),
    "a number of all digits": lambda size: b"9" * size,
    "a fraction of all digits": lambda size: b"0." + b"9" * size,
    "exponents": lambda size: b"[%s]" % fill(b"1e9999", size),
    "numbers of 999 digits": lambda size: b"[%s]" % fill(b"9" * 999, size),
    "blanks": lambda size: b"[%s]" % (b" " * size),
    "characters of four bytes": lambda size: b'"%s"' % ("\U0001f600".encode() * (size // 4)),
    "no UTF-8": lambda size: b'"%s\xff"' % (b"x" * size),
}
"""Values of a property, by what they are made of; each is given how large it may be."""

NO_JSON: Mapping[str, Callable[[int], bytes]] = {
    "an escaped quote behind a backslash, again and again": lambda size: b'"' + b'\\x\\"' * (size // 4),
    "only quotes": lambda size: b'"' * size,
    "only backslashes": lambda size: b"\\" * size,
    "only commas": lambda size: b"," * size,
    "only NUL": lambda size: b"\0" * size,
    "a quote without an end": lambda size: b'{"apiKey":"' + b"x" * size,
    "words that look secret": lambda size: b'{"token":"a"' + b',"token":"' * (size // 10),
    "a form": lambda size: b"&".join([b"apiKey=a"] * (size // 9)),
}
"""Bodies that are not JSON."""

ITEMS: Mapping[str, bytes] = {"{}": b"{}", "[]": b"[]", "null": b"null", '""': b'""', "0": b"0"}
"""Items of which a batch has as many as it may, and then one more."""


@attrs.frozen
class Case:
    """A hostile request: its name and, given the credentials, itself."""

    name: str
    made: Callable[[Keys], Hostile]


def cases(*, every: bool = False) -> Iterator[Case]:
    """Yield the hostile requests; a dialect's neighbours are other dialects'.

    Without `every`, each kind of body is sent to one dialect only, the next one for each kind, and items to two.
    """
    for turn, (kind, body_of) in enumerate(BODIES.items()):
        for dialect in DIALECTS if every else (DIALECTS[turn % len(DIALECTS)],):
            yield Case(f"{dialect.name}: {kind}", partial(body_of, dialect))
    for turn, (kind, item) in enumerate(ITEMS.items()):
        for count in (MOST_ITEMS, MOST_ITEMS + 1):
            for dialect in DIALECTS[:3] if every else (_by("tranthor"), DIALECTS[turn % 2]):
                name = f"{dialect.name}: {count} items {kind}"
                yield Case(name, partial(_with_items, dialect, item, count))
    for name, make in (*FIELDS.items(), *HEADS.items(), *WIRE.items()):
        yield Case(name, make)


def _zipped(path: str, body: bytes, headers: Mapping[str, str], items: int = 0, *, idempotent: str = "") -> Hostile:
    """Return a request whose body is gzipped: as little on the wire as an attacker could make it."""
    more = {"Idempotency-Key": idempotent} if idempotent else {}
    raw = request(path, gzip.compress(body, 6, mtime=0), {**headers, **more, "Content-Encoding": "gzip"})
    return Hostile(raw, len(body), items)


def _with_value(dialect: Dialect, keys: Keys, *, value: Callable[[int], bytes]) -> Hostile:
    body = dialect.item(keys, b'"userId":"u","properties":%s' % value(dialect.cap - SPARE))
    return _zipped(dialect.track, body, dialect.headers(keys), 1)


def _bare(dialect: Dialect, keys: Keys, *, body: Callable[[int], bytes]) -> Hostile:
    return _zipped(dialect.track, body(dialect.cap - SPARE), dialect.headers(keys), 1)


BODIES: Mapping[str, Callable[[Dialect, Keys], Hostile]] = {
    **{kind: partial(_with_value, value=value) for kind, value in VALUES.items()},
    **{kind: partial(_bare, body=body) for kind, body in NO_JSON.items()},
}


def _with_items(dialect: Dialect, item: bytes, count: int, keys: Keys) -> Hostile:
    return _zipped(dialect.batch, dialect.many(b",".join([item] * count)), dialect.headers(keys), count)


def _by(name: str) -> Dialect:
    return next(each for each in DIALECTS if each.name == name)


def _fields(name: str, more: Callable[[int], bytes], *, idempotent: str = "") -> Callable[[Keys], Hostile]:
    """Return what makes one item of a dialect with further fields, which are given how large they may be."""
    dialect = _by(name)

    def made(keys: Keys) -> Hostile:
        body = dialect.item(keys, more(dialect.cap - SPARE))
        return _zipped(dialect.track, body, dialect.headers(keys), 1, idempotent=idempotent)

    return made


def _batch(name: str, item: Callable[[int], bytes], *, idempotent: str = "") -> Callable[[Keys], Hostile]:
    """Return what makes a batch of as many different items as it may have, each given its number."""
    dialect = _by(name)

    def made(keys: Keys) -> Hostile:
        items: list[bytes] = []
        size = 0
        while len(items) < MOST_ITEMS and size < dialect.cap - SPARE:
            items.append(item(len(items)))
            size += len(items[-1]) + 1
        body = dialect.many(b",".join(items[:-1]))
        return _zipped(dialect.batch, body, dialect.headers(keys), len(items) - 1, idempotent=idempotent)

    return made


def _objects(name: bytes, size: int) -> bytes:
    return b'"%s":[%s]' % (name, fill(b"{}", min(size, 3 * 245_000)))


def _no_id(name: bytes, _size: int) -> bytes:
    return b'"%s":[],"a":[%s]' % (name, fill(b'{"k":"x"}', 10 * 120_000))


def _text(name: bytes, size: int) -> bytes:
    return b'"%s":"%s"' % (name, b"u" * size)


SUBJECTS = [(each.name, each.subject.encode()) for each in DIALECTS]
FIELDS: Mapping[str, Callable[[Keys], Hostile]] = {
    **{
        f"{name}: an id that is a list of objects": _fields(name, partial(_objects, subject))
        for name, subject in SUBJECTS
    },
    **{f"{name}: an id of all the body": _fields(name, partial(_text, subject)) for name, subject in SUBJECTS},
    **{
        f"{name}: fields that nobody knows": _fields(name, lambda size: names(min(120_000, size // 11)))
        for name, _ in SUBJECTS
    },
    **{
        f"{name}: an id that is no text, and small objects": _fields(name, partial(_no_id, subject))
        for name, subject in SUBJECTS
    },
    "tranthor: half an emoji in a context of small objects": lambda keys: _zipped(
        "/api/public/apps/batch",
        b'{"context":{"a":["\\ud800",%s]},"batch":[{"type":"track","messageId":"1","userId":"u","event":"e"}]}'
        % fill(b'{"k":"x"}', 10 * 120_000),
        _by("tranthor").headers(keys),
        1,
    ),
    "databuddy: half an emoji in each of many AI calls": lambda keys: _zipped(
        "/llm",
        b"[%s]" % fill(b'{"traceId":"\\ud800","x":[{"a":"b"}]}', 36 * 19_000),
        _by("databuddy").headers(keys),
        19_000,
    ),
    "browsee: a key of all the body": lambda keys: _zipped(
        "/api/v1/track", b'{"apiKey":"%s","event":"e"}' % (b"k" * (SMALLEST_CAP - SPARE)), {}
    ),
    "browsee: keys in a list": lambda keys: _zipped(
        "/api/v1/track", b"[%s]" % fill(b'{"apiKey":"made-up-key-0000000000000000"}', SMALLEST_CAP - SPARE), {}
    ),
    "tranthor: a write key of 5 MB in a bad batch": lambda keys: _zipped(
        "/api/public/apps/batch",
        b'{"writeKey":"%s","batch":[{}]}' % (b"k" * (5 * MIB - SPARE)),
        _by("tranthor").headers(keys),
        1,
    ),
    "tranthor: bad items with ids": _batch("tranthor", lambda at: b'{"type":"track","messageId":"%d"}' % at),
    "tranthor: bad items with ids, to be retried": _batch(
        "tranthor", lambda at: b'{"type":"track","messageId":"%d"}' % at, idempotent="k" * 200
    ),
    "tranthor: a large context over bad items": lambda keys: _zipped(
        "/api/public/apps/batch",
        b'{"context":{"a":"%s"},"batch":[%s]}' % (b"x" * MIB, fill(b'{"type":"track"}', 17 * 7000)),
        _by("tranthor").headers(keys),
        7000,
    ),
    "tranthor: a context of many keys over many items": lambda keys: _zipped(
        "/api/public/apps/batch",
        b'{"context":{%s},"batch":[%s]}' % (names(8000), fill(b'{"type":"track","context":{"a":1}}', 7000 * 35)),
        {},
        7000,
    ),
    "databuddy: items of unknown types": _batch("databuddy", lambda at: b'{"type":"t%d"}' % at),
    "databuddy: an AI call of many values": lambda keys: _zipped(
        "/llm", b"[%s]" % fill(b'{"traceId":1}', SMALLEST_CAP - SPARE), _by("databuddy").headers(keys), MOST_ITEMS
    ),
    "appizer: bad events": _batch("appizer", lambda at: b'{"event_name":%d}' % at),
}
"""What is in the wrong place, or too much in the right one."""
