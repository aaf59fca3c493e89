"""What a dialect is made of, and all that it may know of the gateway. Values and signatures only.

A dialect is one vendor's wire protocol as a plug-in: a `Dialect` value behind an entry point of the group
`gateway.dialects`. Its functions are pure: they see one request at a time, never the clock, the store or a key file.
"""

import enum
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from gateway.dialect.event import Event
from gateway.dialect.message import Request, Response
from gateway.dialect.outcome import Fault, Outcome, Quota, Reason, Refusal
from gateway.dialect.refusals import default_refuse
from gateway.dialect.renamed import old_keywords
from gateway.dialect.value_class import value_class

T = TypeVar("T")
NOTHING: Mapping[str, object] = {}
NO_SCRIPTS: Mapping[str, bytes] = {}
MAX_ITEMS = 20_000
API_VERSION = 1
"""The version of this contract. A gateway refuses at start a dialect that was written for another one."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PATH = re.compile(r"(/[^/{}\s]*|/\{[a-z_]+\})+")


def _check(is_good: bool, problem: str) -> None:
    """Raise ValueError where a value of the contract is not as it must be; the registry says whose it is."""
    if not is_good:
        raise ValueError(problem)


def _check_paths(owner: str, paths: tuple[str, ...]) -> None:
    for path in paths:
        _check(isinstance(path, str) and _PATH.fullmatch(path) is not None, f"{owner}: path {path!r} must begin with /")
        _check(path == "/" or not path.endswith("/"), f"{owner}: path {path!r} ends with /; leave it out")
        _check(path.count("{") <= 1, f"{owner}: path {path!r} has more than one variable segment")


def _check_method(owner: str, method: str) -> None:
    _check(method.isalpha() and method.isupper(), f"{owner}: method {method!r} must be in capitals, like POST")


@value_class
class Credential:
    """What a request showed to prove who sends it: the name of a CredentialKind, and the value in its normal form.

    An `optional` one counts as not sent at all when its value is unknown or revoked.
    """

    kind: str
    value: str = attrs.field(repr=False)
    optional: bool = False


@value_class
class Item:
    """The smallest unit of a request that can be accepted alone.

    `kind` is the vendor's own word; `message_id`, the client's id, is unique within it. `schema` is the file name,
    without `.json`, of the JSON Schema that `payload` (decoded JSON) must meet. `site` is the public site that the
    item itself names. An item that is already known to be invalid carries its `fault` and is not checked further.
    """

    kind: str
    schema: str
    payload: object
    message_id: str | None = None
    site: str | None = None
    fault: Fault | None = None


def bounded(elements: list[T]) -> list[T]:
    """Return a body's elements unchanged. Raises Refusal where they are more than MAX_ITEMS.

    To be called before Items are made: a 2 MiB body of `{},{},...` would allocate 700,000 of them for anybody.
    """
    if len(elements) > MAX_ITEMS:
        raise Refusal(Reason.TOO_LARGE, detail={"most_items": MAX_ITEMS})
    return elements


@value_class
class Submission:
    """What one request hands in.

    `credentials` are tried in this order. A `fault` is the body's own (unreadable, wrong shape, too many items); it
    is answered only after the credentials were found good. `context` is the canonical context that all items share;
    `translate` gets it back in Received.
    """

    credentials: tuple[Credential, ...] = ()
    items: tuple[Item, ...] = ()
    fault: Fault | None = None
    context: Mapping[str, object] = NOTHING


@value_class
class Received:
    """What `translate` may know beyond the item: whose it is, when and from where it came.

    `site` is the public site that opened the request. `received_at` is RFC 3339 in UTC. `client_ip` is the whole
    address: what the project keeps of it is decided after translation, on the event's `context.ip`.
    """

    project: str
    site: str | None
    received_at: str
    client_ip: str | None
    context: Mapping[str, object]


@value_class
class EventWithFiles:
    """An event and the bytes of the files that came in its item; the event's context names each by its SHA-256.

    `digests` are those names, lower-case hex in the order of `files`, so that nobody need compute them again; they are
    computed where it is empty.
    """

    event: Event
    files: tuple[bytes, ...]
    digests: tuple[str, ...] = ()


Translated = Event | EventWithFiles | Fault
"""An event; or why a payload that its schema allows still is not one (an unreadable time, say)."""


@value_class
class Accepted:
    """An admitted submission and the outcome of each of its items, in the items' order."""

    request: Request
    submission: Submission
    outcomes: tuple[Outcome, ...]
    project: str
    quota: Quota | None = None


class OnInvalid(enum.Enum):
    """What a route does with items that cannot be events."""

    REJECT_REQUEST = "reject_request"  # one bad item rejects the request; nothing is stored
    REJECT_ITEM = "reject_item"  # the answer names the bad items; the others are stored
    QUARANTINE = "quarantine"  # the answer cannot name them: they are quarantined, and the vendor's 2xx is given
    QUARANTINE_UNTRANSLATABLE = (
        "quarantine_untranslatable"  # QUARANTINE what `translate` gives a Fault, reject the rest
    )

    # From before 0.2.
    REFUSE_ALL = REJECT_REQUEST
    REFUSE_ITEM = REJECT_ITEM
    REFUSE_INVALID = QUARANTINE_UNTRANSLATABLE


@old_keywords(mounted="mount_only_paths", unfit="on_invalid")
@attrs.frozen
class Route:
    """One ingestion endpoint. Aliased paths share the route and so its name.

    `paths` are the vendor's, served at the root and under `/<dialect>`; `mount_only_paths` only under `/<dialect>`.
    One segment of a path may be `{name}`; its value is in `Request.variables`. `scope` is what a secret credential
    must have. `body_first` answers a bad body before missing credentials, when none were sent at all. `refuse`
    replaces the dialect's own where the endpoint has another error format (a pixel). `schemas` are the names that its
    items may have, so that the start can tell of one that does not exist. With `item_sites`, an item that names an
    unknown or another project's site is rejected alone; else it refuses the request.
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

    def __attrs_post_init__(self) -> None:
        """Check what can be seen in the route alone. Raises ValueError."""
        owner = f"route {self.name}"
        _check(bool(self.name), "a route has no name")
        _check(bool(self.paths or self.mount_only_paths), f"{owner} has no path")
        _check_paths(owner, (*self.paths, *self.mount_only_paths))
        _check_method(owner, self.method)
        _check(isinstance(self.on_invalid, OnInvalid), f"{owner}: on_invalid must be a member of OnInvalid")


@attrs.frozen
class StaticRoute:
    """An endpoint that stores nothing and always gives the same kind of answer (a probe, a stub)."""

    paths: tuple[str, ...]
    answer: Callable[[Request], Response]
    method: str = "GET"

    def __attrs_post_init__(self) -> None:
        """Check what can be seen in the endpoint alone. Raises ValueError."""
        _check_paths("a static route", self.paths)
        _check_method("a static route", self.method)


def _unchanged(value: str) -> str:
    return value


@old_keywords(form="template", canonical="normalize")
@attrs.frozen
class CredentialKind:
    """A kind of credential. Public ones are ids that anyone can read in a page; they open by origin, not by scope.

    `template` makes new values: `{token}` becomes 48 random hex digits, `{uuid}` a random UUID. `normalize` gives the
    one spelling of a value under which it is kept and looked up. `is_site` marks the kind that an Item's `site` names.
    `needs_origin` refuses a request without an Origin when the credential has a list of allowed ones.
    """

    name: str
    template: str
    public: bool = False
    is_site: bool = False
    needs_origin: bool = False
    normalize: Callable[[str], str] = _unchanged

    def __attrs_post_init__(self) -> None:
        """Check what can be seen in the kind alone. Raises ValueError."""
        _check(_NAME.fullmatch(self.name) is not None, f"credential kind {self.name!r}: use a-z, 0-9 and _")
        has_place = "{token}" in self.template or "{uuid}" in self.template
        _check(has_place, f"credential kind {self.name}: its template has neither {{token}} nor {{uuid}}")
        _check(self.public or not self.is_site, f"credential kind {self.name}: a site is public")


@attrs.frozen
class Switch:
    """A yes-or-no setting of a dialect, off unless the operator turns it on."""

    name: str
    meaning: str


@old_keywords(owns="prefixes", fixed="static_routes")
@attrs.frozen
class Dialect:
    """One vendor's wire protocol.

    `schemas` names the package that holds its JSON Schemas. Unknown paths under one of `prefixes` get this dialect's
    error format (`""` takes what no other dialect claims). `headers` are request headers that browsers may send beyond
    the gateway's own. `routes` gives the endpoints for the set of switches that are on. `setting` and `curl` are what
    a person needs to start: templates in which `{url}` and `{value}` are replaced, for the first of
    `kinds`. `scripts` are served by name under `/-/shim/`, for pages whose vendor script cannot be pointed
    elsewhere. `secret_fields` are fields of a body or a query that hold a secret: they are redacted in what is kept.
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

    def __attrs_post_init__(self) -> None:
        """Check what can be seen in the dialect alone. Raises ValueError."""
        _check(_NAME.fullmatch(self.name) is not None, f"name {self.name!r}: use a-z, 0-9 and _")
        _check(bool(self.kinds), "it has no credential kind")
        names = [kind.name for kind in self.kinds]
        _check(len(set(names)) == len(names), "two of its credential kinds have one name")
        _check(sum(kind.is_site for kind in self.kinds) <= 1, "more than one of its credential kinds is a site")
        for prefix in self.prefixes:
            _check(not prefix or prefix.startswith("/"), f"prefix {prefix!r} must begin with /, or be empty")
        _check(self.body_cap > 0, f"body_cap must be above 0, not {self.body_cap}")

    def routes_for(self, switches: frozenset[str]) -> tuple[Route, ...]:
        """Return the endpoints for the set of switches that are on."""
        return self.routes if isinstance(self.routes, tuple) else self.routes(switches)
