"""When a credential is to end, as operators write it."""

import pytest

from gateway.keys.expiry import Expiry
from gateway.operate.credentials.expiry import parse

NOW = 1_767_323_045_678


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("never", "never"),
        ("90d", NOW + 90 * 86_400_000),
        ("30s", NOW + 30_000),
        ("2030-01-02T03:04:05Z", 1_893_553_445_000),
        ("2030-01-02T03:04:05.5+01:00", 1_893_549_845_500),
    ],
)
def test_an_end_is_a_time_a_span_from_now_or_never(text: str, expected: Expiry) -> None:
    assert parse(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "d", "-1d", "90", "2030-01-02", "2030-13-02T03:04:05Z", "Never"])
def test_what_is_no_end_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=".*"):
        parse(text, NOW)
