"""The JSON in which outcomes are stored, to the byte: files from 014cd87 on have it."""

import json
from hashlib import sha256

import attrs

from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.storage.outcomes_json import (
    decode_outcomes,
    decode_receipt,
    encode_outcomes,
    encode_receipt,
    receipt_items,
)

FAULTS = (Fault("required", "/event"), Fault("maxLength", "/name", {"limit": 128}))
STORED = Outcome(Verdict.STORED, "é-1")
QUARANTINED = Outcome(Verdict.QUARANTINED, "lone \ud800", FAULTS)
REJECTED = Outcome(Verdict.REJECTED, "", (Fault("unknown_type", "/type"),))
OUTCOMES = (STORED, QUARANTINED, REJECTED)
ENCODED = (
    rb'[["stored", "\u00e9-1", []], '
    rb'["quarantined", "lone \ud800", [["required", "/event", {}], ["maxLength", "/name", {"limit": 128}]]], '
    rb'["rejected", "", [["unknown_type", "/type", {}]]]]'
)


def test_outcomes_beside_an_idempotency_key_are_written_and_read_back_whole() -> None:
    assert encode_outcomes(OUTCOMES) == ENCODED
    assert decode_outcomes(ENCODED) == OUTCOMES
    assert decode_outcomes(encode_outcomes(())) == ()


def test_what_0_1_called_refused_is_read_as_rejected() -> None:
    assert decode_outcomes(b'[["refused", "m", []]]') == (Outcome(Verdict.REJECTED, "m"),)


def test_a_receipt_tells_of_each_item_where_it_is_and_what_was_wrong() -> None:
    duplicate = Outcome(Verdict.DUPLICATE, "m", FAULTS[:1])
    filtered = Outcome(Verdict.FILTERED, "bot")
    assert receipt_items([(STORED, 7), (QUARANTINED, 3), (REJECTED, None), (duplicate, None), (filtered, 4)]) == (
        r'[{"verdict":"stored","message_id":"\u00e9-1","position":7},'
        r'{"verdict":"quarantined","message_id":"lone \ud800","quarantine":3,"faults":['
        r'{"code":"required","pointer":"/event","detail":{}},'
        r'{"code":"maxLength","pointer":"/name","detail":{"limit":128}}]},'
        r'{"verdict":"rejected","message_id":"","faults":[{"code":"unknown_type","pointer":"/type","detail":{}}]},'
        r'{"verdict":"duplicate","message_id":"m","faults":[{"code":"required","pointer":"/event","detail":{}}]},'
        r'{"verdict":"filtered","message_id":"bot","quarantine":4}]'
    )


MANY = tuple(
    Outcome(Verdict.REJECTED if index % 3 else Verdict.STORED, sha256(b"%d" % index).hexdigest(), FAULTS[: index % 3])
    for index in range(20_000)
)


def test_a_longer_text_is_compressed_and_read_back_whole() -> None:
    placed = [(outcome, None if outcome.faults else index) for index, outcome in enumerate(MANY[:50])]
    receipt = encode_receipt(placed)
    assert isinstance(receipt, bytes)
    assert len(receipt) < 4096
    assert decode_receipt(receipt) == json.loads(receipt_items(placed)) == decode_receipt(receipt_items(placed))
    claim = encode_outcomes(MANY[:50])
    assert len(claim) < 4096
    assert decode_outcomes(claim) == MANY[:50]


def test_of_very_many_outcomes_beside_a_key_only_the_verdicts_are_kept() -> None:
    encoded = encode_outcomes(MANY)
    assert len(encoded) < 4096
    assert decode_outcomes(encoded) == tuple(Outcome(outcome.verdict, "") for outcome in MANY)


def test_of_very_many_items_a_receipt_keeps_verdicts_places_and_the_first_faults() -> None:
    encoded = encode_receipt([(outcome, None if outcome.faults else 7 + index) for index, outcome in enumerate(MANY)])
    found = decode_receipt(encoded)
    assert len(encoded) < 8192
    assert [item["verdict"] for item in found] == [outcome.verdict.value for outcome in MANY]
    assert [item.get("position") for item in found] == [None if index % 3 else 7 + index for index in range(20_000)]
    assert found[1] == {"verdict": "rejected", "faults": [{"code": "required", "pointer": "/event", "detail": {}}]}
    assert found[-1] == {"verdict": "rejected"}


def test_ids_are_kept_where_nothing_else_of_the_request_is() -> None:
    duplicates = [(attrs.evolve(each, verdict=Verdict.DUPLICATE, faults=()), None) for each in MANY[:2000]]
    found = decode_receipt(encode_receipt(duplicates, room=40 * len(duplicates)))
    assert [item["message_id"] for item in found] == [outcome.message_id for outcome, _ in duplicates]
