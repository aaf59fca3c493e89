"""JSON for Tranthor that costs more than its size, and requests to it that would grow."""

import gzip
from collections.abc import Callable, Mapping

import attrs

from gateway.dialect import MAX_VALUES
from tests.faults.traffic import Keys
from tests.faults.wire import request
from tests.kit.bounds import MIB
from tests.security.pieces import HALF, MANY_VALUES, Json, many, names, packed, repeated

TRACK, BATCH = "/api/public/apps/track", "/api/public/apps/batch"
FRACTION = b"0.1234567890123456"
GOOD = b'{"type":"track","userId":"u","messageId":"1","event":"e"}'


def _track(inside: bytes) -> Json:
    return Json("tranthor", TRACK, b'{"messageId":"1","userId":"u","event":"e",%s}' % inside)


def _values(unit: bytes, count: int = MANY_VALUES) -> Json:
    return _track(b'"properties":{"a":[%s]}' % repeated(unit, count))


def _item(inside: bytes) -> bytes:
    """Return a good message of a batch, with something more in it."""
    return b'{"type":"track","messageId":"1","userId":"u","event":"e",%s}' % inside


def _batch(items: bytes, beside: bytes = b"") -> Json:
    return Json("tranthor", BATCH, b'{"batch":[%s]%s}' % (items, beside))


def _floats(last: bytes) -> bytes:
    return b'"properties":{"a":[%s,%s]}' % (repeated(FRACTION, MANY_VALUES), last)


PAIRS = b",".join(b'"k%x":%s' % (number, HALF) for number in range(MANY_VALUES))
ODD_KEYS = b",".join(b'"%x\\ud83d":1' % number for number in range(MANY_VALUES))
SHARED = b',"context":{"a":[%s]}' % repeated(HALF, 100)
LARGE = b',"context":{%s}' % b",".join(b'"k%x":1' % number for number in range(100_000))
BAD = b'{"type":"track"}'

JSON: Mapping[str, Callable[[], Json]] = {
    "well-formed floats, to compare with": lambda: _track(_floats(b"1")),
    "well-formed texts, to compare with": lambda: _track(
        b'"properties":{"a":[%s]}' % repeated(b'"abcdef"', MANY_VALUES)
    ),
    "20,000 good items, to compare with": lambda: _batch(repeated(_item(b'"x":"abcdef"'), 20_000)),
    "2.5 million values": lambda: _values(b"0", 2_500_000),
    "2.5 million values, nobody's": lambda: attrs.evolve(_values(b"0", 2_500_000), dialect=None),
    "as many arrays as may be": lambda: _values(b"[]"),
    "5 MiB of escaped quotes": lambda: _track(b'"a":"%s%s"' % (b"," * MAX_VALUES, b'\\"' * (2 * MIB))),
    "a number of 22 digits beside floats": lambda: _track(_floats(b"9" * 22)),
    "a number of 1,001 digits beside floats": lambda: _track(_floats(b"9" * 1001)),
    "1e400 beside floats": lambda: _track(_floats(b"1e400")),
    "half a character beside floats": lambda: _track(_floats(HALF)),
    "many halves of characters": lambda: _values(HALF),
    "an id of U+FFFD beside them": lambda: Json(
        "tranthor",
        TRACK,
        b'{"messageId":"1","userId":"\xef\xbf\xbd","event":"e","properties":{%s}}' % PAIRS,
    ),
    "many keys with half a character": lambda: _track(b'"properties":{%s}' % ODD_KEYS),
    "a half in each of 20,000 items": lambda: _batch(repeated(_item(b'"x":%s' % HALF), 20_000)),
    "halves in the context of many items": lambda: _batch(repeated(_item(b'"x":1'), 5_000), SHARED),
    "a half in each of many items, and a large context": lambda: _batch(
        repeated(_item(b'"x":%s' % HALF), 18_000), LARGE
    ),
    "a half in each id of many items, and a large context": lambda: _batch(
        repeated(b'{"type":"track","messageId":"1","userId":%s,"event":"e"}' % HALF, 18_000), LARGE
    ),
    "an id of 240,000 objects": lambda: _batch(
        b'{"type":"track","messageId":"1","event":"e","userId":[%s]}' % repeated(b"{}", 240_000)
    ),
    "files of nothing": lambda: _track(b'"files":[%s]' % repeated(b"{}", 240_000)),
    "an event name of 5 MB and no id": lambda: _track(b'"userId":{},"event":"%s"' % (b"x" * 5_000_000)),
    "20,000 bad items": lambda: _batch(repeated(BAD, 20_000)),
}


def _shown(keys: Keys, path: str, body: bytes, **more: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return request(path, body, {"Authorization": f"Basic {keys['tranthor']}", **named})


def _keys(count: int) -> bytes:
    return b'{"messageId":"1","userId":"u","event":"e","properties":{%s}}' % names(count)


def _shared(item: bytes, size: int) -> bytes:
    return b'{"context":{"a":"%s"},%s' % (b"x" * MIB, _many(item, size))


def _many(item: bytes, size: int) -> bytes:
    return b'"batch":[%s]}' % many(item, size)


BOMBS: Mapping[str, Callable[[Keys], bytes]] = {
    "contexts to merge, nobody's": lambda _: request(
        BATCH, b'{"context":{%s},%s' % (names(8000), _many(b'{"type":"track","context":{"a":1}}', 250_000))
    ),
    "5 MiB of {}, nobody's": lambda _: request(BATCH, b"{" + _many(b"{}", 5 * MIB - 20)),
    "gzip, 200 MiB": lambda keys: _shown(keys, TRACK, packed(), Content_Encoding="gzip"),
    "gzip in gzip": lambda keys: _shown(keys, TRACK, gzip.compress(packed()), Content_Encoding="gzip, gzip"),
    "a million keys, gzipped": lambda keys: _shown(keys, TRACK, gzip.compress(_keys(10**6)), Content_Encoding="gzip"),
    "half a million keys": lambda keys: _shown(keys, TRACK, _keys(450_000)),
    "good items, large context": lambda keys: _shown(keys, BATCH, _shared(GOOD, 3 * MIB)),
    "bad items, large context": lambda keys: _shown(keys, BATCH, _shared(b'{"type":"track"}', 7000)),
    "many bad items": lambda keys: _shown(keys, BATCH, b"{" + _many(b"{}", 300_000)),
    "many good items": lambda keys: _shown(keys, BATCH, b"{" + _many(GOOD, 4 * MIB)),
}
