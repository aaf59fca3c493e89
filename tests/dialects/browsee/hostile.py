"""The worst requests to Browsee alone: its key is in the body."""

from collections.abc import Mapping

from tests.kit.bounds import MIB
from tests.security.pieces import SPARE, Made, fill, post

CAP = 2 * MIB
HOSTILE: Mapping[str, Made] = {
    "a key of all the body": lambda _keys: post(
        "/api/v1/track", {}, b'{"apiKey":"%s","event":"e"}' % (b"k" * (CAP - SPARE))
    ),
    "keys in a list": lambda _keys: post(
        "/api/v1/track", {}, b"[%s]" % fill(b'{"apiKey":"made-up-key-0000000000000000"}', CAP - SPARE)
    ),
}
