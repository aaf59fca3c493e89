"""When a credential ends, and the check of it. Pure."""

from typing import Literal

from gateway.keys.credential import InvalidCredential

Expiry = int | Literal["never"]
"""The end of a credential in milliseconds since the epoch, or that it has none."""
LAST = 253_402_300_799_999
"""The end of the year 9999: later times cannot be shown."""


def checked_expiry(expires: Expiry | None, now: int) -> int | None:
    """Return the end in milliseconds, None for none. Raises InvalidCredential on one that is not in the future."""
    if expires is None or expires == "never":
        return None
    if expires <= now:
        raise InvalidCredential("the end of the credential is not in the future; to end it now, revoke it")
    if expires > LAST:
        raise InvalidCredential("the end of the credential is after the year 9999; never is written as never")
    return expires
