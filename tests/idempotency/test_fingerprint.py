"""What counts as the same content: all of it, but for which credential was shown."""

import attrs
import pytest

from gateway.dialect import Credential, Submission
from gateway.dialect.message import Request
from gateway.ingest.idempotency import fingerprint

SHORT = "7"  # a public id that an operator chose: it may be any text


def of(body: bytes, credential: str = SHORT, **query: str) -> bytes:
    request = Request("POST", "/track", query, {}, body, 0, None)
    return fingerprint(request, Submission((Credential("website", credential),)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"name":"a7"}', b'{"name":"a"}'),
        (b'{"n":77}', b'{"n":7}'),
        (b'{"n":17}', b'{"n":71}'),
        (b'{"n":[7,0]}', b'{"n":[0,7]}'),
    ],
)
def test_contents_that_differ_by_what_is_also_a_credential_differ(one: bytes, other: bytes) -> None:
    assert of(one) != of(other)


def test_queries_that_differ_by_where_a_value_ends_differ() -> None:
    assert of(b"", a="1&b=2") != of(b"", a="1", b="2")
    assert of(b"", **{"a=b": "c"}) != of(b"", a="b=c")


def test_the_same_content_with_another_key_is_the_same() -> None:
    first, rotated = "brw_0123456789+/", "brw_abcdefghij+/"
    bodies = [b'{"apiKey":"%s","event":"e"}' % key.encode() for key in (first, rotated)]
    assert of(bodies[0], first, k=first) == of(bodies[1], rotated, k=rotated)
    assert of(bodies[0], first) != of(bodies[1], first)


def test_bytes_that_are_no_text_count_too() -> None:
    assert len({of(b"\xff"), of(b"\xfe"), of("ÿ".encode())}) == 3
    assert of(b"\xff", "\udcff") == of(b"\xff", "\udcff")


def test_the_credential_that_was_not_shown_is_content() -> None:
    request = Request("POST", "/track", {}, {}, b"7", 0, None)
    assert fingerprint(request, Submission()) != fingerprint(attrs.evolve(request, body=b""), Submission())
