"""Puts back into an event what was redacted in the request that it is translated from again. Pure."""

import json

from gateway.records.spellings import REDACTED


def restored(today: bytes, stored: bytes) -> bytes:
    """Return today's line of an event with the stored texts in the places where the kept request says `[redacted]`.

    Events are stored as they were sent, and kept requests are not: without this, an event would lose texts that no
    dialect has changed. Only a text that stands at the same place in the stored event comes back.
    """
    if REDACTED.encode() not in today:
        return today
    value = _restored(json.loads(today), json.loads(stored))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _restored(today: object, stored: object) -> object:
    if isinstance(today, str):
        return stored if REDACTED in today and isinstance(stored, str) else today
    if isinstance(today, dict) and isinstance(stored, dict):
        return {name: _restored(each, stored.get(name)) for name, each in today.items()}
    if isinstance(today, list) and isinstance(stored, list):
        rest = [*stored, *[None] * (len(today) - len(stored))]
        return [_restored(each, old) for each, old in zip(today, rest, strict=False)]
    return today
