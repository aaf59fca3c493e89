"""HTTP requests and responses as plain values. No I/O."""

from collections.abc import Mapping

from gateway.dialect.value_class import value_class

NO_HEADERS: Mapping[str, str] = {}


@value_class
class Request:
    """One request. `body` is complete and decompressed; `b""` where it is refused before its body is read.

    `path` is normalized: unquoted, without doubled and trailing slashes and without a mount prefix. Names of `headers`
    are in lower case. Of a parameter of `query` that comes again the first counts. Bytes that are not UTF-8 are lone
    surrogates in both (see `clean_header`). `received_at` is in milliseconds since the epoch. `client_ip` is the
    client's address as trusted proxies report it, None if it is not known. `variables` has the value of a path's
    `{name}` segment, unquoted.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: int
    client_ip: str | None = None
    variables: Mapping[str, str] = NO_HEADERS


@value_class
class Response:
    """One answer. With a body of None it has no Content-Type and no Content-Length."""

    status: int
    body: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = NO_HEADERS
