"""The vendor's published figures, and the rate headers that it sends on every answer."""

from gateway.dialect import Quota, Request

BATCH_LIMIT = 100  # events in one batch (documented)
WINDOW = 60  # seconds; the published figures are requests a minute (documented)

_ANY_OTHER = 1000
_PUBLISHED = {
    path: figure
    for name, figure in (
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
    """Return the three headers: of the limit that is configured, else the endpoint's published figure, unused."""
    if quota is not None:
        return _headers(quota.limit, quota.remaining, quota.reset)
    figure = _PUBLISHED.get(request.path, _ANY_OTHER)
    return _headers(figure, figure, request.received_at // 1000 + WINDOW)


def _headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
    }


def window_text(seconds: int) -> str:
    """Return a window as the vendor words it: `1 minute`, `90 seconds`, `1 hour`."""
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            return _counted(seconds // unit, name)
    return _counted(seconds, "second")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
