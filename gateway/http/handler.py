"""The seam between HTTP and what it serves: a request's head, and the Handler that answers. No sockets, no dialect."""

from typing import Protocol

from gateway.dialect.message import Response
from gateway.dialect.outcome import Refusal
from gateway.dialect.value_class import value_class

INTERNAL = Response(500, b"internal error\n", "text/plain; charset=utf-8")


@value_class
class RequestHead:
    """The head of one request: its target split at the `?`, headers by lower-case name, the client's address.

    Bytes that are not UTF-8 stand in texts as lone surrogates (`surrogateescape`).
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    client_ip: str | None = None


class Destination(Protocol):
    """Where one request goes."""

    @property
    def body_limit(self) -> int | None:
        """How many bytes its body may have, on the wire and inflated; None where no endpoint wants a body."""
        ...

    async def answer(self, body: bytes | Refusal) -> Response:
        """Return the answer to the request, given its body or why that is refused; never raises."""
        ...


class Handler(Protocol):
    """What a server serves."""

    def route(self, head: RequestHead) -> Destination:
        """Return where a request goes, before its body is read."""
        ...

    def cors(self, head: RequestHead) -> str:
        """Return the CORS header lines of the answer, each with its line end."""
        ...
