"""A Bloom filter over keys: says of most keys that they were never added, and is never wrong about that. Pure.

Two bits a key, both in one byte: a little less exact than bits anywhere, and half the work. A key's word is a number of
64 bits and more that nobody outside can choose (see seen.py).
"""

from collections.abc import Sequence
from itertools import combinations

import attrs

MIN_BYTES = (
    1 << 25
)  # bytes: at ten million keys one of seventy that were never added is taken for one that may have been
MAX_BYTES = 1 << 28
KEYS_A_BYTE = 0.6
_TWO = [1 << first | 1 << second for first, second in combinations(range(8), 2)]
PAIRS = tuple(_TWO + _TWO[:4])  # by a word's lowest five bits; the bits above choose the byte


@attrs.define
class BloomFilter:
    """The filter. It doubles as keys come, by standing twice beside itself: each bit is where it was, and once more."""

    # Written to and not only reserved: memory that is there from the start does not grow later.
    bits: bytearray = attrs.field(factory=lambda: bytearray(b"\0" * MIN_BYTES))
    count: int = 0

    def add(self, words: Sequence[int]) -> list[int]:
        """Add keys by their words; return those that may have been added before."""
        self.count += len(words)
        while self.count > KEYS_A_BYTE * len(self.bits) and len(self.bits) < MAX_BYTES:
            self.bits = self.bits + self.bits  # not in place, which an object cannot do with itself
        bits, mask, pairs = self.bits, len(self.bits) - 1, PAIRS
        maybe = []
        for word in words:
            at, pair = word >> 5 & mask, pairs[word & 31]
            found = bits[at]
            if found & pair == pair:
                maybe.append(word)
            else:
                bits[at] = found | pair
        return maybe

    def maybe(self, words: Sequence[int]) -> list[int]:
        """Return those of the words that may have been added."""
        bits, mask = self.bits, len(self.bits) - 1
        return [word for word in words if not PAIRS[word & 31] & ~bits[word >> 5 & mask]]
