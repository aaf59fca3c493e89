"""The JSON in which outcomes are stored: in a receipt, and beside an idempotency key. Pure.

It is written by `json`, not orjson, because the id of an invalid item may have lone surrogates.
"""

import json
from collections.abc import Iterable, Sequence

from gateway.dialect.outcome import Fault, Outcome, Verdict

Placed = tuple[Outcome, int | None]
"""One item's final outcome, and the position of its event or its number in the quarantine; None if it is in neither."""


def receipt_items(items: Iterable[Placed]) -> str:
    """Return what a receipt says about a request's items, in their order.

    [{"verdict":"stored","message_id":"m-1","position":7},
     {"verdict":"quarantined","message_id":"m-2","quarantine":3,"faults":[{"code":"type","pointer":"/at","detail":{}}]},
     {"verdict":"duplicate","message_id":"m-1"}]
    """
    listed: list[dict[str, object]] = []
    for outcome, place in items:
        item: dict[str, object] = {"verdict": outcome.verdict.value, "message_id": outcome.message_id}
        if place is not None:
            item["position" if outcome.verdict is Verdict.STORED else "quarantine"] = place
        if outcome.faults:
            item["faults"] = [
                {"code": fault.code, "pointer": fault.pointer, "detail": dict(fault.detail)} for fault in outcome.faults
            ]
        listed.append(item)
    return json.dumps(listed, separators=(",", ":"))


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """Return outcomes as they are kept beside an idempotency key.

    [["stored", "m-1", []], ["rejected", "m-2", [["required", "/name", {}]]]]
    """
    return json.dumps(
        [
            [
                outcome.verdict.value,
                outcome.message_id,
                [[fault.code, fault.pointer, dict(fault.detail)] for fault in outcome.faults],
            ]
            for outcome in outcomes
        ]
    ).encode()


def decode_outcomes(stored: bytes) -> tuple[Outcome, ...]:
    """Return the outcomes that `encode_outcomes` was given."""
    return tuple(
        [
            Outcome(Verdict(verdict), message_id, tuple([Fault(*fault) for fault in faults]))
            for verdict, message_id, faults in json.loads(stored)
        ]
    )
