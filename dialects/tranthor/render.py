"""The answer to requests that were accepted: 204, on every route."""

from gateway.dialect import Accepted, Response

_NO_CONTENT = Response(204)


def no_content(_accepted: Accepted) -> Response:
    """Answer 204, whether items were stored, duplicates or quarantined: the vendor's answer cannot tell them apart."""
    return _NO_CONTENT
