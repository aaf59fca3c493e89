"""The ids that the gateway makes: unique, in order, and counted up within a request."""

import zlib
from uuid import UUID

from gateway.ingest.ids import derived, following, fresh, numbered


def test_ids_of_one_time_are_counted_up_from_a_random_one() -> None:
    made = [fresh(1_700_000_000_000) for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {UUID(each).version for each in made} == {7}
    assert {UUID(each).variant for each in made} == {"specified in RFC 4122"}
    assert len(zlib.compress("\n".join(made).encode())) < 8 * len(made)


def test_each_time_has_a_base_of_its_own() -> None:
    first, second, again = fresh(1), fresh(2), fresh(1)
    assert first[14:] != second[14:]
    assert first[14:] != again[14:]


def test_counting_up_keeps_the_version_and_the_variant_even_past_the_end() -> None:
    last = "018bcfe5-6800-7fff-bfff-ffffffffffff"
    assert following(last, 0) == last
    assert following(last, 1) == "018bcfe5-6800-7fff-8000-000000000000"
    assert following(derived("a"), 3) == following(following(derived("a"), 1), 2)


def test_ids_under_an_idempotency_key_are_unique_and_always_the_same() -> None:
    made = [numbered(("p", "d", "r"), "k", index) for index in range(20_000)]
    assert made == [numbered(("p", "d", "r"), "k", index) for index in range(20_000)]
    assert len({*made, *[numbered(("p", "d", "r"), "l", index) for index in range(20_000)]}) == 40_000
    assert made[7] == derived("p", "d", "r", "k", "7")
    assert len(zlib.compress("\n".join(made).encode())) < 8 * len(made)
