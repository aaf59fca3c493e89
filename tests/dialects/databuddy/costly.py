"""JSON for Databuddy that costs more than its size, and requests to it that would grow."""

import gzip
from collections.abc import Callable, Mapping

from tests.faults.traffic import Keys
from tests.faults.wire import request
from tests.kit.bounds import MIB
from tests.security.pieces import HALF, LAYERS, MANY_VALUES, Json, many, repeated, wrapped

LONG_KEY = b"k" * 4000


def _json(inside: bytes, path: str = "/track") -> Json:
    return Json("databuddy", path, b"{%s}" % inside)


JSON: Mapping[str, Callable[[], Json]] = {
    "a long key over many values": lambda: _json(b'"x":1,"%s":[%s]' % (LONG_KEY, repeated(b"0", MANY_VALUES))),
    "a long key over many objects": lambda: _json(b'"x":1,"%s":[%s]' % (LONG_KEY, repeated(b"{}", MANY_VALUES))),
    "many halves of characters, an item unfit": lambda: _json(b'"x":[%s]' % repeated(HALF, MANY_VALUES)),
    "traits of the wrong type": lambda: _json(
        b'"profileId":"p","traits":{%s}' % b",".join(b'"%x":[]' % number for number in range(100_000)), "/identify"
    ),
}


def _shown(keys: Keys, body: bytes) -> bytes:
    return request("/track", body, {"Authorization": f"Bearer {keys['databuddy']}"})


BOMBS: Mapping[str, Callable[[Keys], bytes]] = {
    "2 MiB of [], nobody's": lambda _: request("/track", b"[%s]" % many(b"[]", 2 * MIB - 10)),
    "thousands of codings, nobody's": lambda _: request(
        "/track", wrapped(), {"Content-Encoding": ",".join(["gzip"] * LAYERS)}
    ),
    "a hundred thousand members, nobody's": lambda _: request(
        "/track", gzip.compress(b"") * 100_000, {"Content-Encoding": "gzip"}
    ),
    "a million brackets": lambda keys: _shown(keys, b"[" * MIB),
    "2 MiB of brackets that close": lambda keys: _shown(keys, b"[" * MIB + b"]" * (MIB - 2)),
    "2 MiB of []": lambda keys: _shown(keys, b"[%s]" % many(b"[]", 2 * MIB - 10)),
    "a long number": lambda keys: _shown(keys, b'{"name":"x","properties":{"n":%s}}' % (b"9" * MIB)),
}
