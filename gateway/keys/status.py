"""What a credential is at a time: the same words in lists, on the console and in metrics. Pure."""

STATUSES = ("active", "expiring", "rotated", "expired", "revoked")


def status(*, revoked: bool, rotated: bool, expires_at: int | None, now: int) -> str:
    """Return one of STATUSES; only `active` and `expiring` ones work. Times are in milliseconds since the epoch.

    A rotated one is `expiring` within its grace, and `rotated` after it. `expired` is one whose own time is over.
    """
    if revoked:
        return "revoked"
    is_over = expires_at is not None and now >= expires_at
    if rotated:
        return "rotated" if is_over else "expiring"
    return "expired" if is_over else "active"
