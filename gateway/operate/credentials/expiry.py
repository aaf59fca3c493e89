"""When a credential is to end, as operators write it. Pure."""

from gateway.keys.expiry import Expiry
from gateway.operate import times

HINT = "give one such as 2030-01-02T03:04:05Z, a span from now such as 90d, or never"


def parse(text: str, now: int) -> Expiry:
    """Return when a credential ends, in milliseconds since the epoch; `now` is the time from which a span counts.

        parse("2030-01-02T03:04:05Z", now) == 1893553445000
        parse("90d", now) == now + 90 * 86_400_000
        parse("never", now) == "never"

    Raises ValueError, and OverflowError for a time that is out of range.
    """
    if text == "never":
        return "never"
    found = times.parse(text, now)
    return 2 * now - found if text[-1] in "smhd" else found
