"""The JSON in which outcomes are stored, to the byte: files from 014cd87 on have it."""

from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.storage.outcomes_json import decode_outcomes, encode_outcomes, receipt_items

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
