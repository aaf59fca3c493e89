"""The vendor's published limits, and the rate headers that it sends with every answer."""

from gateway.dialect import Quota, Request

MAX_BATCH = 100  # events (documented)

_WINDOW = 60  # seconds; the published limits are requests per minute (documented)
_DEFAULT_LIMIT = 1000
_PUBLISHED_LIMITS = {
    path: limit
    for name, limit in (
        ("/events", 1000),
        ("/events/track", 1000),
        ("/events/batch", 100),
        ("/users", 500),
        ("/users/aliases", 500),
        ("/users/replace-id", 500),
    )
    for path in (name, f"/v1{name}")
}


def rate_headers(request: Request, quota: Quota | None) -> dict[str, str]:
    """Return the three `X-RateLimit-*` headers; `Reset` is in seconds since 1970.

    They describe the configured limit. Without one they show the endpoint's published limit, with nothing used.
    """
    if quota is not None:
        return _headers(quota.limit, quota.remaining, quota.reset)
    limit = _PUBLISHED_LIMITS.get(request.path, _DEFAULT_LIMIT)
    return _headers(limit, limit, request.received_at // 1000 + _WINDOW)


def _headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
    }


def window_text(seconds: int) -> str:
    """Return the length of a window as the vendor writes it: `1 minute`, `90 seconds`, `1 hour`."""
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            return _counted(seconds // unit, name)
    return _counted(seconds, "second")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
