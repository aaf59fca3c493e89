"""The worst bodies that we know, whatever their dialect: values, items, and what is no JSON. No IO here."""

from collections.abc import Callable, Mapping

from tests.security.pieces import MOST_VALUES, fill, names

LONG_NUMBER = b"1234567890123456789012"

VALUES: Mapping[str, Callable[[int], bytes]] = {
    "lists in lists": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "objects in objects": lambda size: b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6),
    "lists that never end": lambda size: b"[" * size,
    "250,001 numbers": lambda size: b"[%s]" % fill(b"0", 2 * (MOST_VALUES + 1)),
    "numbers": lambda size: b"[%s]" % fill(b"0", size),
    "empty lists": lambda size: b"[%s]" % fill(b"[]", size),
    "empty objects": lambda size: b"[%s]" % fill(b"{}", size),
    "empty texts": lambda size: b"[%s]" % fill(b'""', size),
    "half a million keys": lambda size: b"{%s}" % names(min(500_000, size // 11)),
    "one key many times": lambda size: b"{%s}" % fill(b'"k":1', size),
    "a huge key": lambda size: b'{"%s":1}' % (b"k" * size),
    "a long key over many values, unfit": lambda size: b'{"x":1e400,"%s":[%s]}' % (b"k" * 4000, fill(b"0", 499_000)),
    "a long key over many values, and a NUL": lambda size: (
        b'{"\\u0000":"\\u0000","%s":[%s]}' % (b"k" * 4000, fill(b"0", 499_000))
    ),
    "a huge text": lambda size: b'"%s"' % (b"x" * size),
    "escapes": lambda size: b'"%s"' % (b"\\u0041" * (size // 6)),
    "quotes": lambda size: b'"%s"' % (b'\\"' * (size // 2)),
    "backslashes": lambda size: b'"%s"' % (b"\\\\" * (size // 2)),
    "escaped quotes behind escapes": lambda size: b'"%s"' % (b'\\\\\\"' * (size // 4)),
    "texts of escaped quotes": lambda size: b"[%s]" % fill(b'"\\""', size),
    "half an emoji": lambda size: b'"%s"' % (b"\\ud83d" * (size // 6)),
    "half emojis, one a text": lambda size: b"[%s]" % fill(b'"\\ud800"', min(size, 9 * 240_000)),
    "half emojis, one a key": lambda size: (
        b"{%s}" % b",".join(b'"\\ud800%x":0' % at for at in range(min(size, 15 * 120_000) // 15))
    ),
    "small objects": lambda size: b"[%s]" % fill(b'{"k":"x"}', min(size, 10 * 120_000)),
    "small objects, and half an emoji": lambda size: (
        b'["\\ud800",%s]' % fill(b'{"k":"x"}', min(size, 10 * 120_000) - 10)
    ),
    "control characters": lambda size: b'"%s"' % (b"\\u0000" * (size // 6)),
    "a long number beside many": lambda size: b"[%s,%s]" % (LONG_NUMBER, fill(b"0.5", min(size, 4 * 240_000))),
    "long numbers": lambda size: b"[%s]" % fill(LONG_NUMBER, size),
    "a number of all digits": lambda size: b"9" * size,
    "a fraction of all digits": lambda size: b"0." + b"9" * size,
    "exponents": lambda size: b"[%s]" % fill(b"1e9999", size),
    "numbers of 999 digits": lambda size: b"[%s]" % fill(b"9" * 999, size),
    "blanks": lambda size: b"[%s]" % (b" " * size),
    "characters of four bytes": lambda size: b'"%s"' % ("\U0001f600".encode() * (size // 4)),
    "no UTF-8": lambda size: b'"%s\xff"' % (b"x" * size),
}
"""Values of a property, by what they are made of; each is given how large it may be."""

NO_JSON: Mapping[str, Callable[[int], bytes]] = {
    "an escaped quote behind a backslash, again and again": lambda size: b'"' + b'\\x\\"' * (size // 4),
    "only quotes": lambda size: b'"' * size,
    "only backslashes": lambda size: b"\\" * size,
    "only commas": lambda size: b"," * size,
    "only NUL": lambda size: b"\0" * size,
    "a quote without an end": lambda size: b'{"apiKey":"' + b"x" * size,
    "words that look secret": lambda size: b'{"token":"a"' + b',"token":"' * (size // 10),
    "a form": lambda size: b"&".join([b"apiKey=a"] * (size // 9)),
}
"""Bodies that are not JSON."""

ITEMS: Mapping[str, bytes] = {"{}": b"{}", "[]": b"[]", "null": b"null", '""': b'""', "0": b"0"}
"""Items of which a batch has as many as it may, and then one more."""
