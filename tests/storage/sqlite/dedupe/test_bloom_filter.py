"""The Bloom filter: it never denies a key that was added, even after it has grown."""

import random

from gateway.storage.sqlite.dedupe import bloom_filter
from gateway.storage.sqlite.dedupe.bloom_filter import BloomFilter


def test_every_added_key_is_reported_and_few_others() -> None:
    random_bits = random.Random(1)
    added, others = ([random_bits.getrandbits(64) for _ in range(20_000)] for _ in range(2))
    found = BloomFilter(bytearray(1 << 12))
    seen = found.add(added[:100])
    found.add(added[100:])

    assert seen == []
    assert found.may_contain(added) == added
    assert (found.count, len(found.bits)) == (20_000, 1 << 16)
    assert len(found.may_contain(others)) < 4_000


def test_a_key_that_is_added_again_is_reported() -> None:
    found = BloomFilter(bytearray(64))

    assert (found.add([5, 6 << 5]), found.add([5, 7 << 5])) == ([], [5])


def test_it_grows_no_larger_than_its_maximum() -> None:
    found = BloomFilter(bytearray(bloom_filter.MAX_BYTES), count=2 * bloom_filter.MAX_BYTES)
    found.add([1])

    assert len(found.bits) == bloom_filter.MAX_BYTES
