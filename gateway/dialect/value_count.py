"""Counts the values of a JSON text without decoding it, so that a body of too many is refused before it costs memory.

A value is a scalar, an object or an array, at any depth; the keys of objects are none. Bytes methods only: time and
memory grow linearly with the text, whatever it holds.
"""

from gateway.dialect.outcome import Reason, Refusal

MAX_VALUES = 250_000
"""Values of one body: a decoded value takes about 80 bytes, and each step of the path takes its time for it."""

CHUNK = 1 << 16  # bytes that are split at once: the pieces of a chunk of quotes take 60 times its size
_BLANKS = b" \t\r\n"
_OPENINGS = (b"[", b"{")


def refuse_many_values(text: bytes) -> None:
    """Raise Refusal if a JSON text has more than MAX_VALUES values. What is no JSON is counted up to its first error.

    No text has more values than bytes, nor more than its commas and opening brackets say, those inside strings too.
    """
    if len(text) <= MAX_VALUES:
        return
    if 1 + text.count(b",") + text.count(b"[") + text.count(b"{") <= MAX_VALUES:
        return
    if has_more_values(text, MAX_VALUES):
        raise Refusal(Reason.TOO_LARGE, detail={"most_values": MAX_VALUES})


def has_more_values(text: bytes, most: int, chunk: int = CHUNK) -> bool:
    """Return whether a JSON text has more values than `most`: one, and one more per comma and per container in use.

    It is looked at in chunks of so many bytes.
    """
    if b"\\" in text:  # then no quote is an escaped one, and no backslash matters
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    values, in_string, opened = 1, False, b""
    for start in range(0, len(text), chunk):
        pieces = text[start : start + chunk].split(b'"')
        strings = len(pieces[not in_string :: 2])
        pieces[not in_string :: 2] = [b"0"] * strings
        in_string ^= len(pieces) % 2 == 0
        marks = opened + b"".join(pieces).translate(None, _BLANKS)
        opened = marks[-1:] if marks.endswith(_OPENINGS) else b""  # whether it is empty the next chunk says
        marks = marks[: len(marks) - len(opened)]
        values += marks.count(b",") + marks.count(b"[") + marks.count(b"{") - marks.count(b"[]") - marks.count(b"{}")
        if values > most:
            return True
    return values + len(opened) > most
