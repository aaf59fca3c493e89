"""What clients should not send and some do: values for one place of a request, whole bodies, headers. Data only."""

from collections.abc import Iterator, Mapping

DIGITS_30, DIGITS_5000 = b"123456789012345678901234567890", b"9" * 5000

VALUES: Mapping[str, tuple[bytes, ...]] = {
    "a value of another type": (b"null", b"true", b"-1.5", b'""', b'"x"', b"[null]", b'{"a":[{"b":null}]}'),
    "half an emoji": (b'"cut \\ud83d"', b'{"\\ud83d":"\\ud83d"}'),
    "NUL": (b'"a\\u0000b"', b'{"a\\u0000b":"\\u0000"}'),
    "a huge number": (DIGITS_30, DIGITS_5000, b"1.7976931348623157e308", b'"%s"' % DIGITS_30),
    "an odd text": (
        b'"2024-13-45T99:99:99Z"',
        b'"http://[:99999999/"',
        b'"' + b"x" * 5000 + b'"',
        b'"%\\u202e\\u001b[31m{\\""',
        b'"a\\r\\nSet-Cookie: kit=1"',
        b'"\\u6f22\\u5b57 \\ud83d\\ude00"',
        b'"\\u00b2"',
        b'"1_0"',
    ),
}
"""JSON that can be decoded, by what is odd about it: for every place of a body, since each is read in its own way."""

UNDECODABLE: Mapping[str, tuple[bytes, ...]] = {
    "NaN, Infinity or a number beyond a double": (b"NaN", b"-Infinity", b"1e400", b"-1e400"),
    "deep nesting": (b"[" * 200 + b"]" * 200, b"[" * 900 + b"]" * 900, b'{"a":' * 900 + b"1" + b"}" * 900),
    "what is not UTF-8": (b'"\xff"', b'"caf\xe9"', b'"\xed\xa0\xbd"', b'"\xc0\x80"', b"\xff"),
    "a raw control character": (b'"\x00"', b'"\n"', b"\x00"),
}
"""What breaks the whole body, or nearly: `decode` finds it, so that some places are enough."""

IN_QUERIES: tuple[bytes, ...] = (
    b"",
    b" ",
    b"\x00",
    b"\xff",
    b"\xed\xa0\xbd",
    b"null",
    b"0",
    b"-1",
    b"1e400",
    b"NaN",
    DIGITS_30,
    DIGITS_5000,
    b"true",
    b"[]",
    b"{}",
    b'{"a":',
    b"[" * 5000,
    b'"\\ud83d"',
    b"2024-13-45",
    b"http://[",
    b"%",
    b"x" * 5000,
    b"a\r\nSet-Cookie: kit=1",
    b"\xc2\xb2",
    b"1_0",
)
"""Values of a query parameter, before they are quoted."""

QUERIES = (
    "&&=&",
    "a",
    "=b",
    "%",
    "%zz=%ff",
    "a=1&a=2",
    "a[]=1&a[b]=2",
    "a=1&a[b]=2&a[b][c]=3",
    "__proto__=1",
    "\ufffd=1",
    "?" * 50,
    "a=" * 90,
)
"""Whole queries, as they are sent."""

HEADERS = (
    "User-Agent",
    "Origin",
    "Referer",
    "Content-Type",
    "Accept-Language",
    "X-Forwarded-For",
    "Sec-Fetch-Site",
    "Authorization",
    "Cookie",
    "Idempotency-Key",
)
IN_HEADERS = (
    "",
    "null",
    "\udcff\udcfe",
    "caf\u00e9 \U0001f600",
    "x" * 8000,
    "Bearer",
    "Basic !!!!",
    "Basic \udcff",
    "https://[",
    "https://\udcff.example:99999999",
    "::1, 10.0.0.1",
    'multipart/form-data; boundary="',
    "a,b;c=d;;q=2,",
)


def bodies(sample: bytes) -> Iterator[bytes]:
    """Yield whole bodies: odd ones, and what can happen to a good one on its way."""
    yield from (b"", b" ", b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe{\x00}\x00", b"a=1&b=2", b"<xml/>", b"\x1f\x8b")
    yield from (
        b"null",
        b"true",
        b"0",
        b'""',
        b'"text"',
        b"[]",
        b"{}",
        b"[null]",
        b"[[]]",
        b"[{}]",
        b'{"":0}',
        b"[0,{}]",
    )
    yield from (b"NaN", b"[NaN]", b'{"a":1e400}', b'{"a":%s}' % DIGITS_5000, b"{'a':1}", b'{"a":1,}', b"{//\n}")
    yield from (b"[" * 900 + b"]" * 900, b"[" * 100_000, b'{"a":' * 20_000)
    yield from (b"\xef\xbb\xbf" + sample, sample[: len(sample) // 2], sample[1:], sample + sample, sample + b"\x00")
    yield from (b"[" + sample + b"]", b'{"a":' + sample + b"}", sample.decode("utf-8", "replace").encode("utf-16"))
