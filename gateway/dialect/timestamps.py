"""Times of clients, in every form that the vendors accept, to RFC 3339 in UTC. Pure.

A canonical time is `2024-03-01T00:00:00.000Z`, with milliseconds, or with microseconds if they were sent. What is not a
time gives None; the caller decides what that means in its dialect. The caller also keeps the original of a time that
was not canonical (see `time_or_original` in toolkit.py).

A time is read only if all of it is understood. Its forms are written down here, because the standard library's are too
many: Python's versions differ in what is ISO 8601, and email.utils passes over words that it does not know.
"""

import functools
import re
from datetime import UTC, datetime, timedelta, timezone

MAX_TEXT = 160
"""How many characters a time may have: JavaScript's form names a time zone, in any language."""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH_DAY = 719163  # datetime.date(1970, 1, 1).toordinal()
# The years 1 to 9999, all that RFC 3339 has.
_EARLIEST = -62135596800000
_LATEST = 253402300799999
_MILLIS = tuple([f".{millis:03d}Z" for millis in range(1000)])

# No part of these expressions gives back what it took (`?+`, `++`), so each of them takes one step a character.
_ISO = re.compile(
    r"[0-9]{4}(-?+)[0-9]{2}\1[0-9]{2}"
    r"(?:(?:[Tt]|(?P<space> ))(?:[01][0-9]|2[0-3])(?:(?P<colon>:?+)[0-9]{2}(?:(?P=colon)[0-9]{2}(?:[.,][0-9]++)?+)?+)?+"
    r"(?:(?(space) ?+)(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?+[0-5][0-9])?+))?+)?+"
)
_OFFSET = r"(?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3]):?+(?P<minutes>[0-5][0-9])"
_ZONE_NAME = r"\((?:[^()\x00-\x1f\x7f]|\([^()\x00-\x1f\x7f]*+\))++\)"  # in Hebrew with parentheses in it
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?+"
_MAIL = re.compile(
    rf"(?:(?P<weekday>[a-z]{{3}}) *+, *+)?+(?P<day>[0-9]{{1,2}}) ++(?P<month>[a-z]{{3}}) ++(?P<year>[0-9]{{4}}) ++"
    rf"{_CLOCK} ++(?:(?:gmt|utc?+)?+{_OFFSET}(?: ++{_ZONE_NAME})?+|gmt|utc?+|z)",
    re.ASCII | re.IGNORECASE,
)
_JAVASCRIPT = re.compile(
    r"(?P<weekday>[a-z]{3}) (?P<month>[a-z]{3}) (?P<day>[0-9]{2}) (?P<year>[0-9]{4}) "
    rf"{_CLOCK} gmt{_OFFSET}(?: {_ZONE_NAME})?+",
    re.ASCII | re.IGNORECASE,
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def from_millis(millis: float) -> str | None:
    """Return milliseconds since the epoch as a canonical time; fractions are kept to the microsecond."""
    if not _EARLIEST <= millis <= _LATEST:
        return None
    if isinstance(millis, int):
        return _second(millis // 1000) + _MILLIS[millis % 1000]
    whole = int(millis // 1)
    seconds, rest = divmod(whole, 1000)
    micros = round((millis - whole) * 1000)
    if micros:
        return f"{_second(seconds)}.{min(rest * 1000 + micros, 999_999):06d}Z"
    return _second(seconds) + _MILLIS[rest]


def to_millis(timestamp: str) -> int | None:
    """Return a canonical time as milliseconds since the epoch; None if it is finer than that."""
    moment = datetime.fromisoformat(timestamp)
    if moment.microsecond % 1000:
        return None
    return (moment - _UNIX_EPOCH) // _MILLISECOND


def from_seconds(seconds: float) -> str | None:
    """Return seconds since the epoch as a canonical time."""
    return from_millis(seconds * 1000) if abs(seconds) < _LATEST else None


def from_iso(text: str) -> str | None:
    """Return an ISO 8601 date or date-time as a canonical time; without a zone it is read as UTC.

    Calendar dates only: `2024-W10-5` and `2024-061` are no time. Of a fraction six digits are kept. Where a space is
    between date and time, as Ruby and PostgreSQL write them, one may also be before the zone.
    """
    is_usual = (  # with what Python's versions agree on, this is the canonical form
        len(text) == 24
        and text[4] == "-"
        and text[7] == "-"
        and text[10] == "T"
        and text[11:13] != "24"
        and text[19] == "."
        and text[23] == "Z"
    )
    if not is_usual and (len(text) > MAX_TEXT or _ISO.fullmatch(text) is None):
        return None
    try:
        moment = datetime.fromisoformat(text if is_usual else text[:11].upper() + text[11:].replace(" ", "").upper())
    except ValueError:
        return None
    return text if is_usual else _canonical(moment)


def from_rfc2822(text: str) -> str | None:
    """Return a date in words as a canonical time: one of RFC 2822 and 1123, or what JavaScript's `Date` prints.

        Fri, 01 Mar 2024 01:00:00 +0100 (CET)
        Fri, 01 Mar 2024 00:00:00 GMT
        Fri Mar 01 2024 01:00:00 GMT+0100 (Central European Standard Time)

    The zone must be GMT, UTC, UT, Z or an offset in digits: other names of zones (`CET`, `EST`) are not understood, nor
    are further words (`PM`). A day of the week must be the date's.
    """
    if len(text) > MAX_TEXT:
        return None
    found = _MAIL.fullmatch(text) or _JAVASCRIPT.fullmatch(text)
    if found is None or found["month"].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(found["month"].lower()) + 1
    offset = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
    try:
        moment = datetime(
            int(found["year"]),
            month,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"] or 0),
            tzinfo=timezone(-offset if found["sign"] == "-" else offset),
        )
    except ValueError:
        return None
    weekday = found["weekday"]
    return _canonical(moment) if weekday is None or weekday.lower() == _WEEKDAYS[moment.weekday()] else None


def _canonical(moment: datetime) -> str | None:
    try:
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
    digits = "milliseconds" if utc.microsecond % 1000 == 0 else "microseconds"
    return utc.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


@functools.lru_cache(maxsize=8192)
def _second(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    day = datetime.fromordinal(days + _EPOCH_DAY).date().isoformat()
    return f"{day}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
