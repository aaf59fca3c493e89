"""What a dialect consists of. Values and signatures only.

A dialect is one vendor's wire protocol as a plug-in: a `Dialect` value, named in an entry point of the group
`gateway.dialects`. Its functions are pure: they see one request at a time, and no clock, store or key file.
docs/writing-a-dialect.md is the guide for authors, and docs/dialect-contract.md has every field in tables.
"""

import enum
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from gateway.dialect.checks import check, check_method, check_paths
from gateway.dialect.description import CredentialPlace, Description, JsonSchema
from gateway.dialect.event import Event
from gateway.dialect.message import Request, Response
from gateway.dialect.outbound.items import Emitted, Files, OutboundRoute
from gateway.dialect.outcome import Fault, Outcome, Quota, Reason, Refusal
from gateway.dialect.refusals import default_refuse
from gateway.dialect.renamed import old_keywords
from gateway.dialect.value_class import value_class

T = TypeVar("T")
NOTHING: Mapping[str, object] = {}
NO_SCRIPTS: Mapping[str, bytes] = {}
MAX_ITEMS = 20_000
MAX_CREDENTIAL = 512
"""Characters of a credential: a longer one was never issued, so nothing looks for it."""
MAX_CREDENTIALS = 8
"""Credentials that one request may show."""
API_VERSION = 1
"""The version of this contract. A dialect that was written for another version is refused at start."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@value_class
class Credential:
    """What a request shows to prove who sends it: the name of a CredentialKind, and a value in its normal form.

    If the kind has a `normalize`, `parse` calls it; the gateway does not. An `optional` credential counts as not sent
    if its value is unknown or revoked.
    """

    kind: str
    value: str = attrs.field(repr=False)
    optional: bool = False


@value_class
class Item:
    """The smallest unit of a request that can be accepted alone.

    `kind` is the vendor's word for it; `message_id`, the client's id, is unique within a kind, so what shares one
    sequence of ids has one kind. `payload` is decoded JSON, and `schema` the file name, without `.json`, of the JSON
    Schema that it must meet. `site` is the public site that the item itself names, in any spelling. An item with a
    `fault` is already known to be invalid: it is not checked further, and its `schema` is not looked up.
    """

    kind: str
    schema: str
    payload: object
    message_id: str | None = None
    site: str | None = None
    fault: Fault | None = None


def bounded(elements: list[T]) -> list[T]:
    """Return a body's elements unchanged. Raises Refusal if they are more than MAX_ITEMS.

    Call it before you make Items: a 2 MiB body of `{},{},...` would allocate 700,000 of them before authentication.
    """
    if len(elements) > MAX_ITEMS:
        raise Refusal(Reason.TOO_LARGE, detail={"most_items": MAX_ITEMS})
    return elements


@value_class
class Submission:
    """What `parse` makes of a request.

    `credentials` are tried in this order. A `fault` is one of the whole body (unreadable, wrong shape, too many items);
    it is reported only to a sender whose credentials are good. `context` is what all items share, under any keys;
    `translate` gets it back in Received.

        Submission((Credential("api_key", "k_1"),), (Item("event", "track", {"event": "paid"}, "m-1"),))
    """

    credentials: tuple[Credential, ...] = ()
    items: tuple[Item, ...] = ()
    fault: Fault | None = None
    context: Mapping[str, object] = NOTHING


@value_class
class Received:
    """What `translate` is told about the request of an item.

    `site` is the public site that the request was admitted for: the one that it shows, or on a route with
    `site_by_origin` the one whose origins admit it. `received_at` is RFC 3339 in UTC. `client_ip` is the
    whole address; it is shortened, if the project wants that, after translation, in the event's `context.ip`.
    `context` is the submission's.
    """

    project: str
    site: str | None
    received_at: str
    client_ip: str | None
    context: Mapping[str, object]


@value_class
class EventWithFiles:
    """An event, and the contents of the files that came in its item.

    The event's context names each file by its SHA-256. `digests` are these names, in lower-case hex and in the order of
    `files`; if it is empty they are computed again.
    """

    event: Event
    files: tuple[bytes, ...]
    digests: tuple[str, ...] = ()


Translated = Event | EventWithFiles | Fault
"""An event, or why a payload that meets its schema is none all the same (an unreadable time, for example)."""


@value_class
class Accepted:
    """What `render` gets: an admitted submission, and the outcome of each of its items, in their order.

    A retry with the same Idempotency-Key is rendered again, so an answer follows from this alone.
    """

    request: Request
    submission: Submission
    outcomes: tuple[Outcome, ...]
    project: str
    quota: Quota | None = None


class OnInvalid(enum.Enum):
    """What a route does with items that cannot become events. Choose what the vendor's clients expect."""

    REJECT_REQUEST = "reject_request"  # one bad item rejects the request; nothing is stored
    REJECT_ITEM = "reject_item"  # `render` names the bad items, and chooses the status; the others are stored
    QUARANTINE = "quarantine"  # the vendor would answer 2xx, so the gateway does, and keeps the bad items aside
    # QUARANTINE if `translate` returns a Fault, REJECT_REQUEST if the item does not meet its schema.
    QUARANTINE_UNTRANSLATABLE = "quarantine_untranslatable"

    # From before 0.2.
    REFUSE_ALL = REJECT_REQUEST
    REFUSE_ITEM = REJECT_ITEM
    REFUSE_INVALID = QUARANTINE_UNTRANSLATABLE


@old_keywords(mounted="mount_only_paths", unfit="on_invalid")
@attrs.frozen
class Route:
    """One ingestion endpoint; aliases are further `paths` of the same route.

    A request goes through `parse`, then each of its items through `translate(item, message_id, received)`, then the
    accepted request through `render`.

    `paths` are the vendor's own, served at the root and under `/<dialect>`; `mount_only_paths` are served only under
    `/<dialect>`. One segment of a path may be `{name}`; its value is in `Request.variables`. `scope` is what a secret
    credential must have. With `body_first`, a bad body is reported before missing credentials, if none were sent at
    all. `refuse` replaces the dialect's `refuse` for an endpoint with another error format (a pixel). `schemas` are the
    schemas that its items may have; the start checks that they exist. With `item_sites`, an item that names an unknown
    site, or another project's, is invalid; otherwise the whole request is refused. With `site_by_origin`, a request
    without any credential is the site's whose allowed origins admit its Origin, if there is exactly one; a site without
    allowed origins admits every page. `description` is for the dialect's OpenAPI document.
    """

    name: str
    paths: tuple[str, ...]
    parse: Callable[[Request], Submission]
    translate: Callable[[Item, str, Received], Translated]
    render: Callable[[Accepted], Response]
    method: str = "POST"
    mount_only_paths: tuple[str, ...] = ()
    scope: str | None = None
    on_invalid: OnInvalid = OnInvalid.REJECT_REQUEST
    body_first: bool = False
    refuse: Callable[[Request, Refusal], Response] | None = None
    schemas: tuple[str, ...] = ()
    item_sites: bool = False
    site_by_origin: bool = False
    description: Description | None = None

    def __attrs_post_init__(self) -> None:
        """Check the route by itself. Raises ValueError."""
        owner = f"route {self.name}"
        check(bool(self.name), "a route has no name")
        check(bool(self.paths or self.mount_only_paths), f"{owner} has no path")
        check_paths(owner, (*self.paths, *self.mount_only_paths))
        check_method(owner, self.method)
        check(isinstance(self.on_invalid, OnInvalid), f"{owner}: on_invalid must be a member of OnInvalid")


@attrs.frozen
class StaticRoute:
    """An endpoint that stores nothing and asks for no credential (a probe, a stub). Its paths are as a Route's."""

    paths: tuple[str, ...]
    answer: Callable[[Request], Response]
    method: str = "GET"

    def __attrs_post_init__(self) -> None:
        """Check the endpoint by itself. Raises ValueError."""
        check_paths("a static route", self.paths)
        check_method("a static route", self.method)


def _unchanged(value: str) -> str:
    return value


@old_keywords(form="template", canonical="normalize")
@attrs.frozen
class CredentialKind:
    """A kind of credential. A public one is an id that anyone can read in a page: it is bound to origins, not scopes.

    `template` makes new values: `{token}` becomes 48 random hex digits, `{uuid}` a random UUID. `normalize` returns the
    spelling in which a value is kept and looked up, of any text: the gateway calls it for values that are added and for
    an Item's `site`, `parse` for what a request shows. `is_site` marks the kind that an Item's `site` is of. With
    `needs_origin`, a request without an Origin is refused if the credential has a list of allowed origins. `places` are
    for the dialect's OpenAPI document.
    """

    name: str
    template: str
    public: bool = False
    is_site: bool = False
    needs_origin: bool = False
    normalize: Callable[[str], str] = _unchanged
    places: tuple[CredentialPlace, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Check the kind by itself. Raises ValueError."""
        check(_NAME.fullmatch(self.name) is not None, f"credential kind {self.name!r}: use a-z, 0-9 and _")
        has_place = "{token}" in self.template or "{uuid}" in self.template
        check(has_place, f"credential kind {self.name}: its template has neither {{token}} nor {{uuid}}")
        check(self.public or not self.is_site, f"credential kind {self.name}: a site is public")


@attrs.frozen
class Switch:
    """A yes-or-no setting of a dialect, off unless the operator turns it on."""

    name: str
    meaning: str


@old_keywords(owns="prefixes", fixed="static_routes")
@attrs.frozen
class Dialect:
    """One vendor's wire protocol.

    `schemas` is the package that contains its JSON Schemas. Unknown paths under one of `prefixes` get this dialect's
    error format (`""` stands for all paths that no dialect claims). `routes` are its endpoints, or a function from the
    set of switches that are on to them. `headers` are request headers that browsers may send, beside those that the
    gateway allows for all; `exposed_headers` are headers of answers that pages may read, beside those of the gateway.

    `setting` and `curl` are printed at the first start: the line to change in the SDK's settings, and a command that
    sends an event. `{url}` and `{value}` in them are replaced, the value by a credential of the first of `kinds`.
    `scripts` are served by name under `/-/shim/`, for pages whose vendor script cannot be pointed elsewhere.
    `secret_fields` are fields of a body or a query and variables of a path that contain a secret, and headers whose
    names do not suggest one; they are redacted in what is kept. `body_cap` is in bytes. `api_version` is that of the
    contract it was written for; what is published names it.
    `error` is the schema of the JSON in which refusals are answered, for the OpenAPI document.

    `emit` speaks the protocol outward, if the dialect can: it takes an event as it is stored, of whatever dialect, and
    the contents of its files where they are at hand, and returns the items that tell this vendor of it. It is the
    inverse of `translate` for the dialect's own events. `outbound` says how these items become requests.
    """

    name: str
    title: str
    schemas: str
    prefixes: tuple[str, ...]
    kinds: tuple[CredentialKind, ...]
    routes: Callable[[frozenset[str]], tuple[Route, ...]] | tuple[Route, ...]
    setting: str
    curl: str
    refuse: Callable[[Request, Refusal], Response] = default_refuse
    static_routes: tuple[StaticRoute, ...] = ()
    scopes: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    switches: tuple[Switch, ...] = ()
    body_cap: int = 2 * 1024 * 1024
    scripts: Mapping[str, bytes] = NO_SCRIPTS
    secret_fields: tuple[str, ...] = ()
    api_version: int = API_VERSION
    error: JsonSchema | None = None
    exposed_headers: tuple[str, ...] = ()
    emit: Callable[[Mapping[str, object], Files], Emitted] | None = None
    outbound: tuple[OutboundRoute, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Check the dialect by itself. Raises ValueError."""
        check(_NAME.fullmatch(self.name) is not None, f"name {self.name!r}: use a-z, 0-9 and _")
        check(bool(self.kinds), "it has no credential kind")
        names = [kind.name for kind in self.kinds]
        check(len(set(names)) == len(names), "two of its credential kinds have one name")
        check(sum(kind.is_site for kind in self.kinds) <= 1, "more than one of its credential kinds is a site")
        for prefix in self.prefixes:
            check(not prefix or prefix.startswith("/"), f"prefix {prefix!r} must begin with /, or be empty")
        check((self.emit is None) == (not self.outbound), "emit and outbound go together: it has only one of them")
        check(self.body_cap > 0, f"body_cap must be above 0, not {self.body_cap}")

    def routes_for(self, switches: frozenset[str]) -> tuple[Route, ...]:
        """Return the endpoints for the set of switches that are on."""
        return self.routes if isinstance(self.routes, tuple) else self.routes(switches)
