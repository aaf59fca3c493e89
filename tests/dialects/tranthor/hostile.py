"""The worst requests to Tranthor alone: what a batch shares with its items, and items that are quarantined."""

from collections.abc import Mapping

from tests.faults.traffic import Keys
from tests.kit.bounds import MIB, Hostile
from tests.security.pieces import SPARE, Made, fill, names, numbered, post

BATCH = "/api/public/apps/batch"
CAP = 5 * MIB


def _shown(keys: Keys) -> dict[str, str]:
    return {"Authorization": f"Basic {keys['tranthor']}"}


def _bad_items(keys: Keys, *, idempotent: str = "") -> Hostile:
    items, count = numbered(lambda at: b'{"type":"track","messageId":"%d"}' % at, CAP)
    return post(BATCH, _shown(keys), b'{"batch":[%s]}' % items, count, idempotent=idempotent)


HOSTILE: Mapping[str, Made] = {
    "half an emoji in a context of small objects": lambda keys: post(
        BATCH,
        _shown(keys),
        b'{"context":{"a":["\\ud800",%s]},"batch":[{"type":"track","messageId":"1","userId":"u","event":"e"}]}'
        % fill(b'{"k":"x"}', 10 * 120_000),
        1,
    ),
    "a write key of 5 MB in a bad batch": lambda keys: post(
        BATCH, _shown(keys), b'{"writeKey":"%s","batch":[{}]}' % (b"k" * (CAP - SPARE)), 1
    ),
    "bad items with ids": _bad_items,
    "bad items with ids, to be retried": lambda keys: _bad_items(keys, idempotent="k" * 200),
    "a large context over bad items": lambda keys: post(
        BATCH,
        _shown(keys),
        b'{"context":{"a":"%s"},"batch":[%s]}' % (b"x" * MIB, fill(b'{"type":"track"}', 17 * 7000)),
        7000,
    ),
    "a context of many keys over many items": lambda _keys: post(
        BATCH,
        {},
        b'{"context":{%s},"batch":[%s]}' % (names(8000), fill(b'{"type":"track","context":{"a":1}}', 7000 * 35)),
        7000,
    ),
}
