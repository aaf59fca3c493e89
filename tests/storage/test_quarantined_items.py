"""Quarantined items in columns: read back as they were, and small whatever a client repeats or invents."""

import random

import attrs

from gateway.storage.contract import QuarantinedItem
from gateway.storage.quarantined_items import (
    UNEXPLAINED,
    StoredItem,
    bounded_faults,
    decode_items,
    encode_items,
    encode_old_items,
    encode_remains,
)

FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'
ITEMS = (
    QuarantinedItem("a", FAULTS, b'{"n":1}', b"k" * 16, 2),
    QuarantinedItem("ab", b"[]", b"", None, 5, "filtered"),
    QuarantinedItem("ž\\ud800", FAULTS, b"{}", None, 19),
)


def many(count: int, length: int, keyed: bool) -> list[QuarantinedItem]:
    """Items whose ids and faults do not compress."""
    chance = random.Random(length)
    return [
        QuarantinedItem(
            message_id=chance.randbytes(length).hex(),
            faults=b'[{"code":"type","pointer":"/%s","detail":{}}]' % chance.randbytes(length).hex().encode(),
            key=b"k" * 16 if keyed else None,
            index=index,
        )
        for index in range(count)
    ]


def test_items_are_read_back_as_they_were() -> None:
    assert decode_items(encode_items(ITEMS), 7) == [
        StoredItem(7, 2, "quarantined", "a", FAULTS.decode(), '{"n":1}'),
        StoredItem(8, 5, "filtered", "ab", "[]", ""),
        StoredItem(9, 19, "quarantined", "ž\\ud800", FAULTS.decode(), "{}"),
    ]


def test_items_without_ids_are_read_back_too() -> None:
    nameless = [attrs.evolve(item, message_id="") for item in ITEMS]
    assert [item.message_id for item in decode_items(encode_items(nameless), 1)] == ["", "", ""]


def test_of_very_many_items_the_ids_that_stand_in_the_request_and_long_faults_are_left_out() -> None:
    encoded = encode_items(many(20_000, 100, keyed=True))
    found = decode_items(encoded, 1)
    assert len(encoded) < 8192
    assert {item.message_id for item in found} == {""}
    assert [item.index for item in found] == list(range(20_000))
    assert found[0].faults == many(1, 100, keyed=True)[0].faults.decode()
    assert found[-1].faults == UNEXPLAINED.decode()


def test_an_id_that_stands_nowhere_else_is_always_stored() -> None:
    items = many(500, 100, keyed=False)
    assert [item.message_id for item in decode_items(encode_items(items), 1)] == [item.message_id for item in items]


def test_a_fault_that_is_repeated_is_stored_for_all_items() -> None:
    items = [QuarantinedItem(f"m-{index}", FAULTS, index=index) for index in range(20_000)]
    assert {item.faults for item in decode_items(encode_items(items), 1)} == {FAULTS.decode()}


def test_without_room_the_faults_of_few_items_stay_with_their_ids_and_no_payloads() -> None:
    assert decode_items(encode_remains(ITEMS), 7) == [
        StoredItem(7, 2, "quarantined", "a", FAULTS.decode(), ""),
        StoredItem(8, 5, "filtered", "ab", "[]", ""),
        StoredItem(9, 19, "quarantined", "ž\\ud800", FAULTS.decode(), ""),
    ]
    assert len(encode_remains(many(20_000, 100, keyed=False))) < 8192


def test_items_of_an_older_file_keep_their_numbers_and_all_that_is_known_of_them() -> None:
    old = [
        StoredItem(3, None, "quarantined", "a", "[]", '{"n":1}'),
        StoredItem(9, 4, "filtered", "b" * 9000, "[]", "{}"),
    ]
    assert decode_items(encode_old_items(old), 3) == old


def test_faults_are_bounded_by_their_different_texts() -> None:
    long = b"[" + b" " * 5000 + b"]"
    assert bounded_faults([FAULTS, long, FAULTS, b"[]"]) == [FAULTS, UNEXPLAINED, FAULTS, b"[]"]
