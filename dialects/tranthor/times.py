"""A client's times, in the forms that Tranthor takes. Pure."""

from dialects.tranthor.coerce import unwrapped
from gateway.dialect import from_iso, from_millis, from_rfc2822, from_seconds, time_or_original

_MIN_MILLIS = 100_000_000_000  # the year 1973 in milliseconds, 5138 in seconds: a smaller number is in seconds
_UNIX_LENGTHS = (9, 10, 13)  # of texts that upstream's date parser takes for Unix time if they are digits (inferred)


def read_time(sent: object) -> tuple[str | None, object]:
    """Return the canonical time (None if it cannot be read), and the original to keep (None if nothing is lost).

    `1752575400` gives `("2025-07-15T10:30:00.000Z", 1752575400)`, and `"junk"` gives `(None, "junk")`.
    """
    if type(sent) is str and from_iso(sent) == sent:  # the usual form, read without detours
        return sent, None
    return time_or_original(sent, _canonical, min_millis=_MIN_MILLIS)


def _canonical(sent: object) -> str | None:
    """Return a time in ISO 8601, RFC 2822 or Unix time as a canonical one; None for anything else."""
    sent = unwrapped(sent)
    if isinstance(sent, str):
        if len(sent) in _UNIX_LENGTHS and sent.isascii() and sent.isdigit():
            return _from_unix(int(sent))
        return from_iso(sent) or from_rfc2822(sent)
    if isinstance(sent, int | float) and not isinstance(sent, bool):
        return _from_unix(sent)
    return None


def _from_unix(number: float) -> str | None:
    return from_millis(number) if abs(number) >= _MIN_MILLIS else from_seconds(number)
