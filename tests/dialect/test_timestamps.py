"""Client times in every form, to canonical ones."""

import pytest

from gateway.dialect.timestamps import from_iso, from_millis, from_rfc2822, from_seconds


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("2021-12-02T00:30:08.276Z", "2021-12-02T00:30:08.276Z"),
        ("2021-12-02T00:30:08Z", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02T00:30:08", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02 00:30:08", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02T06:00:08.276+05:30", "2021-12-02T00:30:08.276Z"),
        ("2021-12-02T00:30:08.123456Z", "2021-12-02T00:30:08.123456Z"),
        ("2021-12-02T00:30:08.123456789Z", "2021-12-02T00:30:08.123456Z"),
        ("2021-12-02", "2021-12-02T00:00:00.000Z"),
        ("20211202T003008Z", "2021-12-02T00:30:08.000Z"),
        ("0001-01-01T00:00:00+01:00", None),
        ("1638405008276", None),
        ("yesterday", None),
        ("", None),
        ("\ud800", None),
    ],
)
def test_iso_8601_is_read_and_nothing_else(sent: str, canonical: str | None) -> None:
    assert from_iso(sent) == canonical


@pytest.mark.parametrize(
    ("millis", "canonical"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1709251200000, "2024-03-01T00:00:00.000Z"),
        (1709251200000.25, "2024-03-01T00:00:00.000250Z"),
        (1709251200000.9998, "2024-03-01T00:00:00.001000Z"),
        (253402300799999, "9999-12-31T23:59:59.999Z"),
        (253402300800000, None),
        (-62135596800000, "0001-01-01T00:00:00.000Z"),
        (-62135596800001, None),
        (10**30, None),
        (float("nan"), None),
    ],
)
def test_milliseconds_are_read_within_what_rfc_3339_can_say(millis: float, canonical: str | None) -> None:
    assert from_millis(millis) == canonical


def test_seconds_are_read_as_milliseconds_are() -> None:
    assert [from_seconds(1709251200), from_seconds(1709251200.5), from_seconds(1e30)] == [
        "2024-03-01T00:00:00.000Z",
        "2024-03-01T00:00:00.500Z",
        None,
    ]


def test_mail_dates_are_read_in_utc() -> None:
    assert from_rfc2822("Fri, 01 Mar 2024 01:00:00 +0100") == "2024-03-01T00:00:00.000Z"
    assert [from_rfc2822(text) for text in ("soon", "", "Fri, 99 Mar 2024 00:00:00 GMT")] == [None, None, None]
