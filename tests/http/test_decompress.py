"""Compressed bodies: what comes out, what is refused, and that nothing of one is left out without a word."""

import zlib
from functools import partial
from gzip import compress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialect.outcome import Fault, Reason, Refusal
from gateway.http.decompress import MAX_CODINGS, MAX_MEMBERS, decompress

CAP = 1000
zipped = partial(compress, mtime=0)  # the same bytes, and so the same names of tests, in every process
RAW = zlib.compressobj(wbits=-15)
BARE = RAW.compress(b"abc") + RAW.flush()
MALFORMED = (Reason.BODY, (Fault("malformed_encoding"),))


def refused(body: bytes, encoding: str) -> tuple[Reason, tuple[Fault, ...]]:
    with pytest.raises(Refusal) as caught:
        decompress(body, encoding, CAP)
    return caught.value.reason, caught.value.faults


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"abc", "identity"),
        (b"abc", ""),
        (zipped(b"abc"), "gzip"),
        (zipped(b"abc"), " X-GZip "),
        (zlib.compress(b"abc"), "deflate"),
        (BARE, "deflate"),
        (zipped(zlib.compress(b"abc")), "deflate, gzip"),
        (zipped(b"a") + zipped(b"") + zipped(b"bc"), "gzip"),
        (zipped(b"") * (MAX_MEMBERS - 1) + zipped(b"abc"), "gzip"),
    ],
)
def test_a_body_comes_out_whole(body: bytes, encoding: str) -> None:
    assert decompress(body, encoding, CAP) == b"abc"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"abc", "gzip"),
        (zipped(b"abc")[:-1], "gzip"),
        (b"\x1f", "gzip"),
        (b"\x1f\x8b{}", "gzip"),
        (b" abc", "gzip"),
        (b"abc", "deflate"),
        (b"\x78{}", "deflate"),
        (zipped(b"{}")[1:], "gzip"),
        (zipped(b"abc") + b"more", "gzip"),
        (zlib.compress(b"abc") + b"more", "deflate"),
        (BARE + b"more", "deflate"),
        (zipped(b"") * (MAX_MEMBERS + 1), "gzip"),
    ],
)
def test_what_is_not_all_of_it_what_it_says_is_refused(body: bytes, encoding: str) -> None:
    assert refused(body, encoding) == MALFORMED


PLAIN = (
    *(b"", b"{}", b'[{"name":"a"}]', b' \r\n\t{"name":"a"}', b'\xef\xbb\xbf{"a":1}', b"\xef\xbb\xbf [1]"),
    *(b'"text"', b"-1.5", b"17", b"true", b"null", b"{" * 500),
)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "deflate", "identity", "gzip, gzip", "identity, gzip"])
@pytest.mark.parametrize("body", PLAIN)
def test_plain_json_under_a_stale_coding_is_read_as_what_it_is(body: bytes, encoding: str) -> None:
    assert decompress(body, encoding, CAP) == body


@pytest.mark.parametrize("encoding", ["deflate, gzip", "gzip, gzip"])
def test_a_proxy_may_have_undone_the_last_coding_only(encoding: str) -> None:
    inner = zipped(b"{}") if encoding.startswith("gzip") else zlib.compress(b"{}")
    assert decompress(zipped(inner), encoding, CAP) == b"{}"
    assert decompress(zipped(b"{}"), encoding, CAP) == b"{}"


@given(st.binary(max_size=40) | st.text(alphabet='{}[]",:0123456789abtrue \n', max_size=40).map(str.encode))
def test_a_bare_deflated_body_that_begins_as_json_does_is_inflated(content: bytes) -> None:
    engine = zlib.compressobj(wbits=-15)
    assert decompress(engine.compress(content) + engine.flush(), "deflate", CAP) == content


def test_a_coding_that_is_not_known_is_not_undone() -> None:
    for encoding in ("br", "zstd", "gzip, br", "br, gzip", "compress", "x" * 60_000):
        assert refused(b"{}", encoding) == (Reason.ENCODING, ())


def test_the_cap_holds_over_all_members() -> None:
    half = zipped(b"x" * (CAP // 2))
    assert len(decompress(half * 2, "gzip", CAP)) == CAP
    assert refused(half * 3, "gzip") == (Reason.TOO_LARGE, ())


def test_more_codings_than_anybody_means_are_not_undone() -> None:
    body = b"abc"
    for _ in range(MAX_CODINGS):
        body = zipped(body)
    assert decompress(body, ",".join(["gzip"] * MAX_CODINGS), CAP) == b"abc"
    assert refused(zipped(body), ",".join(["gzip"] * (MAX_CODINGS + 1))) == (Reason.ENCODING, ())
