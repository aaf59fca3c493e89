"""What `emit` makes of an event, and what is sent of it. Values only."""

from collections.abc import Mapping

import attrs

from gateway.dialect.checks import check, check_method, check_paths
from gateway.dialect.description import CredentialPlace
from gateway.dialect.value_class import value_class

NOTHING: Mapping[str, object] = {}
NO_TEXTS: Mapping[str, str] = {}
NO_PLACES: Mapping[str, CredentialPlace] = {}

Files = Mapping[str, bytes]
"""The contents of an event's files, by the SHA-256 under which its context names them."""
NO_FILES: Files = {}

NOT_SENT = ""
"""The place of a Lost that is about the whole event."""


@value_class
class Beside:
    """What stands in a request beside its items. Items share a request only if theirs is equal.

    `query` and `headers` are parameters and headers by their names. `client_ip` is the visitor's address, where the
    vendor takes it from the connection: a sender writes it into `X-Forwarded-For`. `fields` are members of the body
    around its items; in a body that is one item they are added to that item.
    """

    query: Mapping[str, str] = NO_TEXTS
    headers: Mapping[str, str] = NO_TEXTS
    client_ip: str | None = None
    fields: Mapping[str, object] = NOTHING


NOTHING_BESIDE = Beside()


@value_class
class OutboundItem:
    """One item of the vendor's protocol: the name of the route that takes it, and its payload, as decoded JSON."""

    route: str
    payload: Mapping[str, object]
    beside: Beside = NOTHING_BESIDE


@value_class
class Lost:
    """A place of an event that what was emitted does not hold, and why.

    `place` is written as in docs/events.md: `session_id`, `context.page.title`, `context.<dialect>.<key>`. Members that
    a client named are not told apart (`properties.*`, `context.page.*`), so that there are only so many places, and
    they can be counted. Why:

    - `no_place`: the vendor has none for it.
    - `taken`: another value of the event has its place.
    - `limit`: the vendor takes no value of this type or size there.

    With the place `""` the whole event is not sent: `no_person`, `no_name`, or `limit` for an identifier.
    """

    place: str
    why: str = "no_place"


@value_class
class Emitted:
    """What `emit` returns: the items, usually one, and what they do not hold."""

    items: tuple[OutboundItem, ...] = ()
    lost: tuple[Lost, ...] = ()


@value_class
class OutboundRequest:
    """One request, but for the host and what HTTP adds. `items` are the indexes of those that it carries.

    `path` begins with a slash and is the vendor's own; `client_ip` is as in Beside.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    client_ip: str | None
    items: tuple[int, ...]


@attrs.frozen
class OutboundRoute:
    """How items of a route become requests, within the vendor's limits.

    `route` is the Route's name, `path` and `method` are the vendor's. A request carries at most `most_items` items, in
    an array, and at most `most_bytes` bytes of body; an item that is larger by itself goes alone. With a `field` the
    array is that member of an object. With `is_one` the body is the one item. `credentials` says where a kind of
    credential goes, where it is not the first of the kind's places.
    """

    route: str
    path: str
    method: str = "POST"
    is_one: bool = False
    field: str | None = None
    most_items: int = 1
    most_bytes: int = 1024 * 1024
    credentials: Mapping[str, CredentialPlace] = NO_PLACES

    def __attrs_post_init__(self) -> None:
        """Check it by itself. Raises ValueError."""
        owner = f"outbound route {self.route}"
        check_paths(owner, (self.path,))
        check_method(owner, self.method)
        check(self.most_items >= 1, f"{owner}: most_items must be at least 1")
        check(not self.is_one or self.field is None, f"{owner}: a body that is one item has no field")
        check(not self.is_one or self.most_items == 1, f"{owner}: a body that is one item has no most_items")
