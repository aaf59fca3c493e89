"""The answer to requests whose item was accepted. Named after the route."""

from gateway.dialect import Accepted, Response

_NOTED = Response(201, b'{"noted":true}')


def notes(_accepted: Accepted) -> Response:
    """Answer with one key, also for a duplicate."""
    return _NOTED
