"""HTTP as plain values: what came in and what goes out. No IO."""

from collections.abc import Mapping

from gateway.dialect.value_class import value_class

NO_HEADERS: Mapping[str, str] = {}


@value_class
class Request:
    """One request, its body whole and inflated.

    `path` is normalized (no doubled or trailing slash, no mount prefix). `headers` are looked up by lower-case name.
    `received_at` is in milliseconds since the epoch, read once. `client_ip` is the client's address after trusted
    proxies, or None where it is not known. `variables` has the value of a route path's `{name}` segment, unquoted.
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
    """One answer; a body of None has no Content-Type and no Content-Length."""

    status: int
    body: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = NO_HEADERS
