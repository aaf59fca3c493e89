"""Times of clients, in every form that the vendors accept, to RFC 3339 in UTC. Pure.

A canonical time is `2024-03-01T00:00:00.000Z`, with milliseconds, or with microseconds if they were sent. What is not a
time gives None; the caller decides what that means in its dialect. The caller also keeps the original of a time that
was not canonical (see `time_or_original` in toolkit.py).
"""

import functools
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EPOCH_DAY = 719163  # datetime.date(1970, 1, 1).toordinal()
# The years 1 to 9999, all that RFC 3339 has.
_EARLIEST = -62135596800000
_LATEST = 253402300799999


def from_millis(millis: float) -> str | None:
    """Return milliseconds since the epoch as a canonical time; fractions are kept to the microsecond."""
    if not _EARLIEST <= millis <= _LATEST:
        return None
    if isinstance(millis, int):
        seconds, rest = divmod(millis, 1000)
        return f"{_second(seconds)}.{rest:03d}Z"
    whole = int(millis // 1)
    seconds, rest = divmod(whole, 1000)
    micros = round((millis - whole) * 1000)
    if micros:
        return f"{_second(seconds)}.{min(rest * 1000 + micros, 999_999):06d}Z"
    return f"{_second(seconds)}.{rest:03d}Z"


def from_seconds(seconds: float) -> str | None:
    """Return seconds since the epoch as a canonical time."""
    return from_millis(seconds * 1000) if abs(seconds) < _LATEST else None


def from_iso(text: str) -> str | None:
    """Return an ISO 8601 date or date-time as a canonical time; without a zone it is read as UTC."""
    if len(text) > 10 and text[10] not in "Tt " and text[8] not in "Tt ":
        return None  # Python accepts any separator, and so would read milliseconds in digits as a date
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == 24 and text[10] == "T" and text[19] == "." and text[23] == "Z" and text[4] == "-":
        return text
    return _canonical(moment)


def from_rfc2822(text: str) -> str | None:
    """Return an RFC 2822 date (`Fri, 01 Mar 2024 00:00:00 GMT`) as a canonical time."""
    try:
        return _canonical(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


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
