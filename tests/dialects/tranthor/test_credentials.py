"""A key has one spelling, in which it is stored and compared, however a header shows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.tranthor.credentials import find, normalize
from gateway.dialect import Request

UUID_KEY = "N2M5ZTY2NzktNzQyNS00MGRlLTk0NGItZTA3ZmMxZjkwYWU3OjBmM2E5YmQyYzRlNWY2MDE="
SEGMENT_KEY = "dHJuX2FiYzo="  # base64 of "trn_abc:"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Basic trn_abc", "trn_abc"),
        ("  bEaReR\ttrn_abc  ", "trn_abc"),
        ("trn_abc", "trn_abc"),
        ("Basic trn_abc and more", "trn_abc"),
        ("", ""),
        ("   ", ""),
        ("Basic", "Basic"),
        (f"Basic {UUID_KEY}", UUID_KEY),
        (UUID_KEY.rstrip("="), UUID_KEY),
        (SEGMENT_KEY, SEGMENT_KEY),
        ("Basic \ud800", "\ud800"),
        ("a", "a"),
    ],
)
def test_a_key_is_kept_in_one_spelling(sent: str, kept: str) -> None:
    assert normalize(sent) == kept


@given(st.text())
def test_the_one_spelling_of_any_text_is_its_own_spelling(value: str) -> None:
    assert normalize(normalize(value)) == normalize(value)


@pytest.mark.parametrize("headers", [{}, {"authorization": " ", "publicwritekey": ""}])
def test_a_request_without_a_key_shows_none(headers: dict[str, str]) -> None:
    assert find(Request("POST", "/api/public/apps/track", {}, headers, b"{}", 0)) == ()
