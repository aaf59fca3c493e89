"""Times as operators write them: RFC 3339, or an age such as 24h. Pure."""

import re
from datetime import UTC, datetime, timedelta

HINT = "give one such as 2026-01-02T03:04:05Z, or an age such as 30m, 24h or 7d"
_AGE = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(text: str, now: int) -> int:
    """Return a time in milliseconds since the epoch; `now` is the time from which an age counts.

        parse("2026-01-02T03:04:05Z", now) == 1767323045000
        parse("30m", now) == now - 1_800_000

    Ages are in s, m, h or d. Raises ValueError, and OverflowError for a time that is out of range.
    """
    age = _AGE.fullmatch(text)
    if age is not None:
        return now - int(age[1]) * _UNITS[age[2]]
    if not _RFC3339.fullmatch(text):
        raise ValueError(text)
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)
