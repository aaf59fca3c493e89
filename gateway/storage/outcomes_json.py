"""The JSON in which outcomes are stored: in a receipt, and beside an idempotency key. Pure.

It is written by `json`, not orjson, because the id of an invalid item may have lone surrogates. Longer texts are
compressed. Of very many items only verdicts and places are stored, because all else is elsewhere too: the request of
quarantined items is kept, and a retry has the same ids as the first try.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from gateway.dialect.outcome import Fault, Outcome, Verdict

LEVEL = 6
MAX_TEXT = 1024
"""Characters up to which outcomes are stored as they are."""
MAX_WHOLE = 4096
"""Bytes, compressed, up to which all of the outcomes is stored; also the characters of faults beyond that."""
MAX_TRIED = 128 * 1024
"""Characters beyond which that is not even tried."""
LETTERS = {verdict: verdict.value[0] for verdict in Verdict}
VERDICTS = {letter: verdict for verdict, letter in LETTERS.items()}

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


def encode_receipt(items: Sequence[Placed], room: int = 0) -> str | bytes:
    """Return what is stored of `receipt_items`, in MAX_WHOLE bytes and `room` if they do not compress below.

    Text if it is short; else compressed, and of very many items without ids:

        {"verdicts": "qqr", "places": [3, 1, null], "faults": {"2": [{"code": "empty", "pointer": "", "detail": {}}]}}

    A place is the difference to the last one with the same verdict. Only rejected items and duplicates have faults.
    """
    if _size([outcome for outcome, _ in items]) <= MAX_TRIED + 8 * room:
        text = receipt_items(items)
        if len(text) <= MAX_TEXT:
            return text
        whole = zlib.compress(text.encode(), LEVEL)
        if len(whole) <= MAX_WHOLE + room:
            return whole
    last: dict[Verdict, int] = {}
    places: list[int | None] = []
    for outcome, place in items:
        places.append(None if place is None else place - last.get(outcome.verdict, 0))
        last[outcome.verdict] = last.get(outcome.verdict, 0) if place is None else place
    faults = _bounded({index: outcome.faults for index, (outcome, place) in enumerate(items) if place is None})
    short = {"verdicts": _letters([outcome for outcome, _ in items]), "places": places, "faults": faults}
    return zlib.compress(json.dumps(short, separators=(",", ":")).encode(), LEVEL)


def decode_receipt(stored: str | bytes) -> list[dict[str, Any]]:
    """Return the items that `encode_receipt` was given, as `receipt_items` lists them.

    What is not stored is left out, `message_id` and `faults`.
    """
    found = json.loads(stored if isinstance(stored, str) else zlib.decompress(stored))
    if isinstance(found, list):
        return found
    last: dict[str, int] = {}
    items: list[dict[str, Any]] = []
    for index, (letter, place) in enumerate(zip(found["verdicts"], found["places"], strict=True)):
        verdict = VERDICTS[letter]
        item: dict[str, Any] = {"verdict": verdict.value}
        if place is not None:
            last[letter] = last.get(letter, 0) + place
            item["position" if verdict is Verdict.STORED else "quarantine"] = last[letter]
        if str(index) in found["faults"]:
            item["faults"] = found["faults"][str(index)]
        items.append(item)
    return items


def shifted(stored: str | bytes, by: int) -> str | bytes:
    """Return what `encode_receipt` made, with all positions of events larger by a number."""
    if by == 0:
        return stored
    found = json.loads(stored if isinstance(stored, str) else zlib.decompress(stored))
    if isinstance(found, list):
        for item in found:
            if "position" in item:
                item["position"] += by
    else:
        first = [
            index
            for index, (letter, place) in enumerate(zip(found["verdicts"], found["places"], strict=True))
            if letter == LETTERS[Verdict.STORED] and place is not None
        ][:1]
        for index in first:  # all others are differences
            found["places"][index] += by
    text = json.dumps(found, separators=(",", ":"))
    return text if isinstance(stored, str) else zlib.compress(text.encode(), LEVEL)


def _letters(outcomes: Iterable[Outcome]) -> str:
    return "".join([LETTERS[outcome.verdict] for outcome in outcomes])


def _size(outcomes: Iterable[Outcome]) -> int:
    """Return about how long a text of outcomes is, without their faults' details."""
    return sum([len(each.message_id) + 50 + sum([len(fault.pointer) for fault in each.faults]) for each in outcomes])


def _bounded(faults: dict[int, tuple[Fault, ...]]) -> dict[str, list[dict[str, object]]]:
    """Return the first of the faults, in MAX_WHOLE characters, by the item's index."""
    room, kept = MAX_WHOLE, dict[str, list[dict[str, object]]]()
    for index, each in faults.items():
        listed: list[dict[str, object]] = [
            {"code": fault.code, "pointer": fault.pointer, "detail": dict(fault.detail)} for fault in each
        ]
        room -= len(json.dumps(listed)) if listed else 0
        if room < 0:
            break
        if listed:
            kept[str(index)] = listed
    return kept


def encode_outcomes(outcomes: Sequence[Outcome], room: int = 0) -> bytes:
    """Return outcomes as they are kept beside an idempotency key, in MAX_WHOLE bytes and `room`.

    Text if it is short; else compressed, and of very many items only their verdicts, as `"qqr"`:

        [["stored", "m-1", []], ["rejected", "m-2", [["required", "/name", {}]]]]
    """
    if _size(outcomes) <= MAX_TRIED + 8 * room:
        text = _text(outcomes)
        if len(text) <= MAX_TEXT:
            return text
        whole = zlib.compress(text, LEVEL)
        if len(whole) <= MAX_WHOLE + room:
            return whole
    return only_verdicts(outcomes)


def _text(outcomes: Sequence[Outcome]) -> bytes:
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
    """Return the outcomes that `encode_outcomes` was given; with empty ids where it kept only verdicts."""
    if not stored.startswith(b"["):
        stored = zlib.decompress(stored)
    if stored.startswith(b'"'):
        return tuple([Outcome(VERDICTS[letter], "") for letter in json.loads(stored)])
    return tuple(
        [
            Outcome(Verdict(verdict), message_id, tuple([Fault(*fault) for fault in faults]))
            for verdict, message_id, faults in json.loads(stored)
        ]
    )


def only_verdicts(outcomes: Sequence[Outcome]) -> bytes:
    """Return outcomes as `encode_outcomes` keeps very many of them: without ids and faults."""
    return zlib.compress(json.dumps(_letters(outcomes)).encode(), LEVEL)
