"""How the quarantined items of one request are stored: in columns, compressed. Pure.

What a client repeats in thousands of items takes next to nothing so. Ids that clients chose do not compress, but they
stand in the request too: with many of them only those that the gateway made are stored here.
"""

import zlib
from collections.abc import Collection, Sequence
from typing import Any

import orjson

from gateway.dialect.value_class import value_class
from gateway.storage.contract import QuarantinedItem

LEVEL = 6
MAX_WHOLE = 4096
"""Bytes, compressed, up to which all is stored; also the characters of faults that are stored beyond it."""
MAX_TRIED = 128 * 1024
"""Characters of ids and faults beyond which that is not even tried."""
UNEXPLAINED = b'[{"code":"invalid","pointer":"","detail":{}}]'
_VERDICTS = {"quarantined": "q", "filtered": "f"}
_LETTERS = {letter: verdict for verdict, letter in _VERDICTS.items()}


@value_class
class StoredItem:
    """One quarantined item as it is stored.

    `number` is its id, `index` its index in the request. `faults` is JSON. `message_id` is empty, and `payload` (JSON)
    too, where the request has them.
    """

    number: int
    index: int | None
    verdict: str
    message_id: str
    faults: str
    payload: str


def encode_items(items: Sequence[QuarantinedItem]) -> bytes:
    """Return the items of one request, which have successive numbers, within about MAX_WHOLE bytes and a few an item.

    Raises UnicodeDecodeError on faults or a payload that are not UTF-8.
    """
    size = sum([len(item.message_id) + len(item.faults) for item in items])
    if size <= MAX_TRIED:
        whole = _compressed(items, [item.message_id for item in items], [item.faults for item in items])
        if len(whole) <= MAX_WHOLE:
            return whole
    ids = ["" if item.key is not None else item.message_id for item in items]
    return _compressed(items, ids, bounded_faults([item.faults for item in items]))


def encode_remains(items: Sequence[QuarantinedItem]) -> bytes:
    """Return what stays of items for which the quarantine has no room: their verdicts and faults, the ids if few."""
    faults = bounded_faults([item.faults for item in items])
    ids = [item.message_id for item in items]
    short = sum(map(len, ids)) <= MAX_WHOLE // 8
    return _compressed(items, ids if short else [""] * len(ids), faults, payloads=False)


def encode_old_items(items: Sequence[StoredItem]) -> bytes:
    """Return items of an older file, of whatever numbers and with all that it has of them."""
    return encode_some(items, items[0].number)


def encode_some(items: Sequence[StoredItem], first: int) -> bytes:
    """Return items with all that is known of each, of a request in which `first` was the lowest number."""
    columns = {
        "numbers": _differences([item.number - first for item in items]) if items else [],
        "indexes": [item.index for item in items],
        "verdicts": "".join([_VERDICTS[item.verdict] for item in items]),
        "ids": ["", [item.message_id for item in items]],
        "faults": [item.faults for item in items],
        "fault_of": list(range(len(items))),
        "payloads": [item.payload for item in items],
    }
    return zlib.compress(orjson.dumps(columns), LEVEL)


def decode_items(stored: bytes, first: int) -> list[StoredItem]:
    """Return the items of which `first` is the lowest number, in the order of their numbers."""
    columns: dict[str, Any] = orjson.loads(zlib.decompress(stored))
    count = len(columns["verdicts"])
    numbers = _sums(columns["numbers"]) if "numbers" in columns else range(count)
    indexes = columns["indexes"] if "numbers" in columns else _sums(columns["indexes"])
    prefix, ends = columns["ids"]
    payloads = columns["payloads"] or [""] * count
    faults = columns["faults"]
    return [
        StoredItem(
            number=first + number,
            index=index,
            verdict=_LETTERS[letter],
            message_id=end and prefix + end,
            faults=faults[fault],
            payload=payload,
        )
        for number, index, letter, end, fault, payload in zip(
            numbers, indexes, columns["verdicts"], ends, columns["fault_of"], payloads, strict=True
        )
    ]


def decode_kinds(
    stored: bytes, first: int, ended: Collection[int], before: int | None = None
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return how many items there are of each verdict and list of faults, and the highest number of one.

    That is `{(verdict, faults): (count, number)}` for the items whose numbers are not in `ended`, and below `before`.
    It takes a fraction of the time of `decode_items`.
    """
    columns: dict[str, Any] = orjson.loads(zlib.decompress(stored))
    verdicts, faults, fault_of = columns["verdicts"], columns["faults"], columns["fault_of"]
    count = len(verdicts)
    if count == 1 and not ended:
        return {(_LETTERS[verdicts], faults[fault_of[0]]): (1, first + sum(columns.get("numbers", ())))}
    numbers = _sums(columns["numbers"]) if "numbers" in columns else range(count)
    found: dict[tuple[str, int], tuple[int, int]] = {}
    most = max(numbers, default=0) if before is None else before - first - 1
    for number, letter, fault in zip(numbers, verdicts, fault_of, strict=True):
        if number <= most and first + number not in ended:
            kind = (letter, fault)
            found[kind] = (found[kind][0] + 1 if kind in found else 1, first + number)
    return {(_LETTERS[letter], faults[fault]): each for (letter, fault), each in found.items()}


def bounded_faults(faults: Sequence[bytes]) -> list[bytes]:
    """Return lists of faults with those of too much text replaced by UNEXPLAINED. Repeated ones do not count."""
    room, kept = MAX_WHOLE, dict[bytes, bytes]()
    for each in faults:
        if each not in kept:
            fits = len(each) <= room
            kept[each] = each if fits else UNEXPLAINED
            room -= len(each) if fits else 0
    return [kept[each] for each in faults]


def _compressed(
    items: Sequence[QuarantinedItem], ids: list[str], faults: Sequence[bytes], payloads: bool = True
) -> bytes:
    prefix = _common_beginning([each for each in ids if each])
    distinct = {each: number for number, each in enumerate(dict.fromkeys(faults))}
    kept = [item.payload.decode() for item in items] if payloads and any(item.payload for item in items) else []
    columns = {
        "indexes": _differences([item.index for item in items]),
        "verdicts": "".join([_VERDICTS[item.verdict] for item in items]),
        "ids": [prefix, [each[len(prefix) :] for each in ids]],
        "faults": [each.decode() for each in distinct],
        "fault_of": [distinct[each] for each in faults],
        "payloads": kept,
    }
    return zlib.compress(orjson.dumps(columns), LEVEL)


def _common_beginning(texts: Sequence[str]) -> str:
    """Return what all texts begin with, without the last character of the shortest: no rest is empty."""
    if not texts:
        return ""
    low, high = min(texts), max(texts)
    most = min(map(len, texts)) - 1
    return low[: next((at for at in range(most) if low[at] != high[at]), most)]


def _differences(numbers: Sequence[int]) -> list[int]:
    return [number - before for before, number in zip([0, *numbers[:-1]], numbers, strict=True)]


def _sums(differences: Sequence[int]) -> list[int]:
    numbers, number = list[int](), 0
    for each in differences:
        number += each
        numbers.append(number)
    return numbers
