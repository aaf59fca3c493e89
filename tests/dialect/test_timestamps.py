"""Client times in every form, to canonical ones."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialect.timestamps import MAX_TEXT, from_iso, from_millis, from_rfc2822, from_seconds

CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.([0-9]{3}|[0-9]{6})Z")
MIDNIGHT = "2024-03-01T00:00:00.000Z"
USUAL = "2021-12-02T00:30:08.276Z"


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        (USUAL, USUAL),
        ("2021-12-02T00:30:08Z", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02T00:30:08", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02 00:30:08", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02 06:00:08 +0530", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02 06:00:08.276 +05:30", USUAL),
        ("2021-12-02 00:30:08 Z", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02T06:00:08.276+05:30", USUAL),
        ("2021-12-02T00:30:08.123456Z", "2021-12-02T00:30:08.123456Z"),
        ("2021-12-02T00:30:08.123456789Z", "2021-12-02T00:30:08.123456Z"),
        ("2021-12-02", "2021-12-02T00:00:00.000Z"),
        ("20211202T003008Z", "2021-12-02T00:30:08.000Z"),
        ("20211202", "2021-12-02T00:00:00.000Z"),
        ("2021-12-02t00:30:08.276z", USUAL),
        ("2021-12-02T00:30:08,276Z", USUAL),
        ("2021-12-02T00:30:08.27600Z", USUAL),
        ("2021-12-02T00:30:08.3Z", "2021-12-02T00:30:08.300Z"),
        ("2021-12-02T06:00:08+0530", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02T02:30+02", "2021-12-02T00:30:00.000Z"),
        ("2021-12-02T00:30:08-00:00", "2021-12-02T00:30:08.000Z"),
        ("2021-12-02T02", "2021-12-02T02:00:00.000Z"),
        ("2024-02-29T00:00:00+00:01", "2024-02-28T23:59:00.000Z"),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:30:00-01:00", None),
        ("1638405008276", None),
        ("yesterday", None),
        ("", None),
        ("\ud800", None),
    ],
)
def test_iso_8601_is_read_and_nothing_else(sent: str, canonical: str | None) -> None:
    assert from_iso(sent) == canonical


@pytest.mark.parametrize(
    "sent",
    [
        # weeks and days of the year
        "2024-W10-5T00:00:00.000Z",
        "2024-W10-5",
        "2024-W10",
        "2024W105",
        "2024W10",
        "2024W105T000000Z",
        "2024-061",
        "2024061",
        "2024-061T00:00:00.000Z",
        "2024-03",
        "2024",
        # what one version of Python or another reads
        "2024-03-01T24:00:00Z",
        "2024-03-01T24:00:00.000Z",
        "2024-03-01T00:00:60Z",
        "2024-03-01T00:00:00+01:00:30",
        "2024-03-01T00:00:00+01:00:30.5",
        "2024-03-01T00:00:00+01:75",
        "2024-03-01T00:00:00+24:00",
        "2024-03-01T00:00:00+1:00",
        "2024-03-01_00:00:00",
        "2024-03-01\u202f00:00:00.000Z",
        "2024-03-01T00:00:00.Z",
        "2024-03-01T00:00:00.+1Z",
        "2024-03-01T00:0000Z",
        "2024-0301",
        "2024-03-01Z",
        # no moment, or more than one
        "2024-02-30T00:00:00.000Z",
        "2023-02-29",
        "2024-03-01T00:00:00 Z",
        "2024-03-01 00:00:00  Z",
        "2024-03-01 00:00:00 ",
        "2024-03-01 00:00 :00",
        " 2024-03-01",
        "2024-03-01\n",
        "2024-03-01T00:00:00ZZ",
        "2024-03-01T00:00:00Z+01:00",
        "2024-03-01T00:00:00 PM",
        "2024-03-01T00:00:00 CET",
        "-2024-03-01",
        "+002024-03-01T00:00:00Z",
        # digits of other scripts
        "\u0662\u0660\u0662\u0664-03-01",
        "2024-03-0\uff11T00:00:00.000Z",
        "2024-03-01T00:00:00.00\u0660Z",
        # no time has so many digits
        f"2024-03-01T00:00:00.{'0' * MAX_TEXT}Z",
    ],
)
def test_calendar_dates_are_read_in_full_or_not_at_all(sent: str) -> None:
    assert from_iso(sent) is None


@given(st.integers(0, 23), st.characters() | st.sampled_from("0123456789+-:.,ZW"))
def test_what_is_taken_as_it_came_is_canonical(at: int, sign: str) -> None:
    text = USUAL[:at] + sign + USUAL[at + 1 :]
    read = from_iso(text)
    assert read is None or CANONICAL.fullmatch(read)


@pytest.mark.parametrize(
    "sent",
    [
        "Fri, 01 Mar 2024 00:00:00 GMT",
        "Fri, 1 Mar 2024 00:00:00 GMT",
        "Fri,  1 Mar  2024 00:00:00  GMT",
        "Fri,01 Mar 2024 00:00:00 GMT",
        "Fri, 01 Mar 2024 00:00 UT",
        "01 Mar 2024 00:00:00 UTC",
        "Fri, 01 Mar 2024 00:00:00 Z",
        "FRI, 01 MAR 2024 00:00:00 gmt",
        "Fri, 01 Mar 2024 01:00:00 +0100",
        "Fri, 01 Mar 2024 01:00:00 +01:00",
        "Fri, 01 Mar 2024 01:00:00 GMT+0100",
        "Thu, 29 Feb 2024 19:00:00 -0500",
        "Fri, 01 Mar 2024 00:00:00 -0000",
        "Fri Mar 01 2024 00:00:00 GMT+0000 (Coordinated Universal Time)",
        "Fri Mar 01 2024 01:00:00 GMT+0100 (Central European Standard Time)",
        "Fri Mar 01 2024 01:00:00 GMT+0100 (CET)",
        "Fri Mar 01 2024 01:00:00 GMT+0100",
        "Fri Mar 01 2024 01:00:00 GMT+0100 (Mitteleurop\u00e4ische Normalzeit)",
        "Fri Mar 01 2024 05:30:00 GMT+0530 (\u0938\u092e\u092f)",
        "Thu Feb 29 2024 19:00:00 GMT-0500 (GMT-05:00)",
        # what browsers in other languages call a zone: Hebrew, Persian, and English on old Windows
        "Fri Mar 01 2024 01:00:00 GMT+0100 (\u05e9\u05e2\u05d5\u05df (\u05d7\u05d5\u05e8\u05e3))",
        "Fri Mar 01 2024 01:00:00 GMT+0100 (\u200e+\u06f0\u06f1 \u06af\u0631\u06cc\u0646\u0648)",
        "Thu Feb 29 2024 18:00:00 GMT-0600 (Central Standard Time (Mexico))",
        # a mail program's
        "Fri, 01 Mar 2024 01:00:00 +0100 (CET)",
    ],
)
def test_dates_in_words_are_read_in_utc(sent: str) -> None:
    assert from_rfc2822(sent) == MIDNIGHT


@pytest.mark.parametrize(
    "sent",
    [
        "soon",
        "",
        "Fri, 99 Mar 2024 00:00:00 GMT",
        "Fri, 00 Mar 2024 00:00:00 GMT",
        # zones by name
        "Fri, 01 Mar 2024 01:00:00 CET",
        "Fri, 01 Mar 2024 00:00:00 EST",
        "Fri, 01 Mar 2024 00:00:00 PDT",
        "Fri, 01 Mar 2024 00:00:00 EST5",
        "Fri, 01 Mar 2024 00:00:00 MST",
        "Fri, 01 Mar 2024 00:00:00 A",
        "Fri, 01 Mar 2024 00:00:00 GMTX",
        "Fri, 01 Mar 2024 00:00:00 CET+0100",
        "Fri Mar 01 2024 01:00:00 CET+0100",
        "Fri Mar 01 2024 01:00:00 CET",
        # no zone, or half of one
        "Fri, 01 Mar 2024 00:00:00",
        "Fri Mar 01 2024 00:00:00",
        "Fri Mar  1 00:00:00 2024",
        "Fri, 01 Mar 2024 00:00:00 0100",
        "Fri, 01 Mar 2024 00:00:00 +1",
        "Fri, 01 Mar 2024 00:00:00 +100",
        "Fri, 01 Mar 2024 00:00:00 GMT+1",
        "Fri, 01 Mar 2024 00:00:00 +2400",
        "Fri, 01 Mar 2024 00:00:00 +0160",
        "Fri, 01 Mar 2024 00:00:00 +01000",
        # further words
        "Fri, 01 Mar 2024 01:00:00 PM",
        "Fri, 01 Mar 2024 01:00:00 PM GMT",
        "Fri, 01 Mar 2024 01:00:00 GMT PM",
        "Fri Mar 01 2024 01:00:00 PM GMT+0100",
        "Fri Mar 01 2024 01:00:00 GMT+0100 PM",
        "Fri Mar 01 2024 01:00:00 GMT+0100 (CET) PM",
        "Fri Mar 01 2024 01:00:00 GMT+0100 (CET",
        "Fri Mar 01 2024 01:00:00 GMT+0100 ()",
        "Fri Mar 01 2024 01:00:00 GMT+0100 CET",
        "Fri, 01 Mar 2024 00:00:00 GMT (really)",
        "Fri, 01 Mar 2024 01:00:00 +0100 (CET) PM",
        "Fri Mar 01 2024 01:00:00 GMT+0100 (a(b)",
        "Fri Mar 01 2024 01:00:00 GMT+0100 (a\nb)",
        "Fri, (a comment) 01 Mar 2024 00:00:00 GMT",
        "Fri, 01 Mar 2024 00:00:00 GMT\n",
        "Fri, 01 Mar 2024\r\n 00:00:00 GMT",
        # the day of the week
        "Thu, 01 Mar 2024 00:00:00 GMT",
        "Thu Mar 01 2024 00:00:00 GMT+0000 (Coordinated Universal Time)",
        "Fre, 01 Mar 2024 00:00:00 GMT",
        "Friday, 01 Mar 2024 00:00:00 GMT",
        # other spellings
        "Friday, 01-Mar-24 00:00:00 GMT",
        "Fri, 01 Mar 24 00:00:00 GMT",
        "Fri, 01 March 2024 00:00:00 GMT",
        "Fri, 01 M\u00e4r 2024 00:00:00 GMT",
        "Fri, 01 Mar 02024 00:00:00 GMT",
        "Mar 1, 2024",
        "3/1/2024, 12:00:00 AM",
        "Fri, 01 Mar 2024 24:00:00 GMT",
        "Fri, 01 Mar 2024 00:00:60 GMT",
        "Fri, 01 Mar 2024 0:00:00 GMT",
        "Fri, 01 Mar 2024 00:00:00.5 GMT",
        "Fri, 30 Feb 2024 00:00:00 GMT",
        "Fri, \u0660\u0661 Mar 2024 00:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +0100",
        f"Fri,{' ' * MAX_TEXT}01 Mar 2024 00:00:00 GMT",
        f"Fri Mar 01 2024 01:00:00 GMT+0100 ({'C' * MAX_TEXT})",
    ],
)
def test_a_date_in_words_is_understood_in_full_or_it_is_no_time(sent: str) -> None:
    assert (from_rfc2822(sent), from_iso(sent)) == (None, None)


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
