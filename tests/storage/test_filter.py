"""The filter: it never says of a key that was added that it was not, also when it has grown."""

import random

from gateway.storage import filter as module
from gateway.storage.filter import Filter


def test_every_key_that_was_added_may_have_been_and_of_others_few() -> None:
    chance = random.Random(1)
    added, others = ([chance.getrandbits(64) for _ in range(20_000)] for _ in range(2))
    found = Filter(bytearray(1 << 12))
    seen = found.add(added[:100])
    found.add(added[100:])

    assert seen == []
    assert found.maybe(added) == added
    assert (found.count, len(found.bits)) == (20_000, 1 << 16)
    assert len(found.maybe(others)) < 4_000


def test_a_key_that_is_added_again_is_told() -> None:
    found = Filter(bytearray(64))

    assert (found.add([5, 6 << 5]), found.add([5, 7 << 5])) == ([], [5])


def test_it_grows_no_further_than_it_may() -> None:
    found = Filter(bytearray(module.MOST), count=2 * module.MOST)
    found.add([1])

    assert len(found.bits) == module.MOST
