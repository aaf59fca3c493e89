"""What to do about rejected requests: a sentence for each reason, with the facts at hand."""

from typing import Any

import pytest

from gateway.dialect import Reason
from gateway.operate.advice import ADVICE, Rejection, advice
from gateway.printable import printable


def test_there_is_advice_for_every_reason() -> None:
    assert ADVICE.keys() == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_advice_is_one_printable_sentence_however_little_is_known_and_whatever_was_sent(reason: Reason) -> None:
    hostile = "https://\u202eevil\x1b[31m.example/<script>"
    facts = dict.fromkeys(("allowed", "limit", "encoding", "kind", "required", "current", "window"), hostile)
    for rejection in (
        Rejection(reason.value, "tranthor"),
        Rejection(reason.value, "tranthor", "shop", "key_1", hostile, facts),
    ):
        said = advice(rejection)
        assert (said[-1], said) == (".", printable(said))
        assert 20 < len(said) < 500


@pytest.mark.parametrize(
    ("reason", "facts", "words"),
    [
        (Reason.ORIGIN, {"origin": "https://Shop.example:8443", "credential_id": "key_3"}, "`gateway keys update key_3 "
         "--origin shop.example --origin ...`"),
        (Reason.ORIGIN, {"origin": "null", "credential_id": "key_3"}, "The origin null names no host"),
        (Reason.ORIGIN, {"credential_id": "key_3"}, "let it send an Origin that the key key_3 allows"),
        (Reason.TOO_LARGE, {"detail": {"limit": 1000}}, "raise body_limit_bytes above 1000 in [dialects.databuddy]"),
        (Reason.TOO_LARGE, {"detail": {"most_items": 20_000}}, "a request may have 20000 items"),
        (Reason.LIMITED, {"detail": {"limit": 5, "window": 60}}, "5 requests in 60 s: raise requests in "
         "[limits.databuddy]"),
        (Reason.MISSING_SCOPE, {"credential_id": "key_3", "detail": {"required": "b", "current": ["a"]}},
         "`gateway keys update key_3 --scope a --scope b`"),
        (Reason.UNKNOWN_CREDENTIAL, {"detail": {"kind": "api_key"}}, "`gateway keys add --project PROJECT --dialect "
         "databuddy --kind api_key --value-stdin`"),
        (Reason.REVOKED_CREDENTIAL, {"project": "shop"}, "`gateway keys add --project shop --dialect databuddy`"),
        (Reason.ENCODING, {"detail": {"encoding": "br"}}, "it sent br"),
    ],
)  # fmt: skip
def test_the_facts_at_hand_are_in_the_advice(reason: Reason, facts: dict[str, Any], words: str) -> None:
    assert words in advice(Rejection(reason=reason.value, dialect="databuddy", **facts))


def test_a_reason_of_another_version_gets_advice_too() -> None:
    assert advice(Rejection("new_reason", "toy")) == "Open one of the requests to see what was wrong with it."
