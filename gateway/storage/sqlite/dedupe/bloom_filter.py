"""A Bloom filter: says of most keys that they were never added, and is never wrong about that. Pure.

A key has two bits, both in one byte: a little less exact than bits anywhere, and half the work. The filter knows a key
by its word, a number of more than 64 bits that no client can choose (see known_keys.py).
"""

from collections.abc import Sequence
from itertools import combinations

import attrs

MIN_BYTES = 1 << 25
"""With ten million keys in a filter of this size, one in seventy keys that were never added is reported as "maybe"."""
MAX_BYTES = 1 << 28
MAX_KEYS_PER_BYTE = 0.6
_PAIRS_OF_BITS = [1 << first | 1 << second for first, second in combinations(range(8), 2)]
BIT_PAIRS = tuple(_PAIRS_OF_BITS + _PAIRS_OF_BITS[:4])
"""The lowest five bits of a word choose one of these 32; the bits above choose the byte."""


def empty(size: int) -> bytearray:
    """Return the bits of an empty filter of a size in bytes, a power of two.

    They are written to, and not only reserved, so that the process's memory does not grow later.
    """
    return bytearray(b"\0" * size)


@attrs.define
class BloomFilter:
    """A filter that doubles as keys are added, up to MAX_BYTES; `count` is how many were.

    It grows by concatenating the bytes with themselves. A byte is chosen by a word's low bits, so under the wider mask
    every old key still finds its bits, in one half or the other.
    """

    bits: bytearray
    count: int = 0

    def add(self, words: Sequence[int]) -> list[int]:
        """Add keys by their words, and return those that may have been added before."""
        self.count += len(words)
        while self.count > MAX_KEYS_PER_BYTE * len(self.bits) and len(self.bits) < MAX_BYTES:
            self.bits = self.bits + self.bits  # not `+=`: a bytearray cannot be extended with itself
        bits, mask, pairs = self.bits, len(self.bits) - 1, BIT_PAIRS
        maybe = []
        for word in words:
            at, pair = word >> 5 & mask, pairs[word & 31]
            found = bits[at]
            if found & pair == pair:
                maybe.append(word)
            else:
                bits[at] = found | pair
        return maybe

    def may_contain(self, words: Sequence[int]) -> list[int]:
        """Return those of the words that may have been added."""
        bits, mask = self.bits, len(self.bits) - 1
        return [word for word in words if not BIT_PAIRS[word & 31] & ~bits[word >> 5 & mask]]
