"""One key, one spelling: what the key file keeps is what a header is compared with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.tranthor.keys import normalize, shown

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


def test_a_request_without_a_key_shows_none() -> None:
    assert shown({}) == ()
    assert shown({"authorization": " ", "publicwritekey": ""}) == ()
