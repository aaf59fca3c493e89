"""What a dialect is made of, and all that it may know of the gateway. Values and signatures only.

A dialect is one vendor's wire protocol as a plug-in: a `Dialect` value behind an entry point of the group
`gateway.dialects`. Its functions are pure; they see one request at a time and never the clock, the store or a key.
"""

import enum
from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from gateway.event import Event
from gateway.message import Request, Response
from gateway.outcome import Fault, Outcome, Quota, Reason, Refusal
from gateway.record import record

T = TypeVar("T")
NOTHING: Mapping[str, object] = {}
NO_SCRIPTS: Mapping[str, bytes] = {}


@record
class Credential:
    """What a request showed to prove who sends it: the kind of key and its value, in the kind's canonical form.

    `optional` says that an unknown or revoked value counts as not sent at all.
    """

    kind: str
    value: str = attrs.field(repr=False)
    optional: bool = False


@record
class Item:
    """The smallest unit of a request that can be accepted alone.

    `kind` is the vendor's own (part of the scope in which `message_id`, the client's id, is unique); `schema` names
    the JSON Schema that the payload must meet. `site` is the public site that the item itself names. An item that is
    already known to be unfit carries its `fault` and is not checked further.
    """

    kind: str
    schema: str
    payload: object
    message_id: str | None = None
    site: str | None = None
    fault: Fault | None = None


MOST_ITEMS = 20_000


def bounded(elements: list[T]) -> list[T]:
    """Return the elements of a body that become items. Raises Refusal where they are more than one request may bring.

    A body of nothing but `{}` has millions: objects for each are not made for whoever comes along.
    """
    if len(elements) > MOST_ITEMS:
        raise Refusal(Reason.TOO_LARGE, detail={"most_items": MOST_ITEMS})
    return elements


@record
class Submission:
    """What one request hands in.

    `credentials` are tried in this order. A `fault` is the body's own (unreadable, not the right shape, too many
    items) and is answered only after the credentials were. `context` is what all items share of their surroundings,
    already canonical; it comes back to `translate` in the Arrival.
    """

    credentials: tuple[Credential, ...] = ()
    items: tuple[Item, ...] = ()
    fault: Fault | None = None
    context: Mapping[str, object] = NOTHING


@record
class Arrival:
    """What `translate` may know beyond the item: whose it is, when and from where it came.

    What a project keeps of an address is decided after translation, on the event's `context.ip`. `site` is the site
    that opened the request.
    """

    project: str
    site: str | None
    received_at: str
    client_ip: str | None
    context: Mapping[str, object]


@record
class Attached:
    """An event together with the files that came in its item; the event's context names each by its SHA-256."""

    event: Event
    blobs: tuple[bytes, ...]


Translated = Event | Attached | Fault
"""An event; or why a payload that its schema allows still is not one (a time that is none, say)."""


@record
class Handled:
    """An admitted submission and what became of each of its items, in the items' order."""

    request: Request
    submission: Submission
    outcomes: tuple[Outcome, ...]
    project: str
    quota: Quota | None = None


class Unfit(enum.Enum):
    """What a route does with items that are not fit to be events."""

    REFUSE_ALL = "refuse_all"  # one bad item refuses the request; nothing is stored
    REFUSE_ITEM = "refuse_item"  # the answer names the bad items; the others are stored
    QUARANTINE = "quarantine"  # the answer cannot name them: they are kept aside, and the vendor's 2xx is given
    REFUSE_INVALID = "refuse_invalid"  # as QUARANTINE for what `translate` gives a Fault, else as REFUSE_ALL


@attrs.frozen
class Route:
    """One ingestion endpoint. Aliased paths share the route and so its name.

    `paths` are the vendor's, served at the root and under `/<dialect>`; `mounted` only under `/<dialect>`. `scope` is
    what a secret key must have. `body_first` answers a bad body before missing credentials, when none were sent at
    all. `refuse` takes the place of the dialect's where the endpoint has a voice of its own (a pixel).
    """

    name: str
    paths: tuple[str, ...]
    parse: Callable[[Request], Submission]
    translate: Callable[[Item, str, Arrival], Translated]
    render: Callable[[Handled], Response]
    method: str = "POST"
    mounted: tuple[str, ...] = ()
    scope: str | None = None
    unfit: Unfit = Unfit.REFUSE_ALL
    body_first: bool = False
    refuse: Callable[[Request, Refusal], Response] | None = None


@attrs.frozen
class Fixed:
    """An endpoint that takes nothing in and always gives the same kind of answer (a probe, a stub)."""

    paths: tuple[str, ...]
    answer: Callable[[Request], Response]
    method: str = "GET"


def _unchanged(value: str) -> str:
    return value


@attrs.frozen
class Kind:
    """A kind of credential. Public ones are ids that anyone can read in a page; they open by origin, not by scope.

    `form` makes new values: `{token}` becomes 48 random hex digits, `{uuid}` a random UUID. `canonical` gives the one
    spelling of a value under which it is kept and looked up. `is_site` marks what an Item's `site` refers to.
    `needs_origin` refuses a request without an Origin when the credential has a list of allowed ones.
    """

    name: str
    form: str
    public: bool = False
    is_site: bool = False
    needs_origin: bool = False
    canonical: Callable[[str], str] = _unchanged


@attrs.frozen
class Switch:
    """A yes-or-no setting of a dialect, off unless the operator turns it on."""

    name: str
    meaning: str


@attrs.frozen
class Dialect:
    """One vendor's wire protocol.

    `schemas` names the package that holds its JSON Schemas. `owns` are the root prefixes whose unknown paths are
    answered in its voice (`""` owns what nobody else does). `headers` are request headers that browsers may send
    beyond the gateway's own. `routes` gives the endpoints for the set of switches that are on. `setting` and `curl`
    are what a person needs to start: templates in which `{url}` and `{value}` are replaced, for the first of `kinds`.
    `scripts` are served by name under `/-/shim/`, for pages whose vendor script cannot be repointed. `secret_fields`
    are fields of a body or a query that hold a secret: they are blanked in what is kept of a request.
    """

    name: str
    title: str
    schemas: str
    owns: tuple[str, ...]
    kinds: tuple[Kind, ...]
    routes: Callable[[frozenset[str]], tuple[Route, ...]]
    refuse: Callable[[Request, Refusal], Response]
    setting: str
    curl: str
    fixed: tuple[Fixed, ...] = ()
    scopes: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    switches: tuple[Switch, ...] = ()
    body_cap: int = 2 * 1024 * 1024
    scripts: Mapping[str, bytes] = NO_SCRIPTS
    secret_fields: tuple[str, ...] = ()
