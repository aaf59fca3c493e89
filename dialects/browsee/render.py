"""The answer to requests whose item was accepted. Each function is named after its route."""

from gateway.dialect import Accepted, Response

_SUCCESS = Response(200, b'{"status":"success"}')


def track(_accepted: Accepted) -> Response:
    """Answer with one key and no more, also for a duplicate (documented)."""
    return _SUCCESS


identify = track
