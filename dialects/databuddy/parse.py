"""Requests to submissions: bodies split into items. Pure, and cheap: runs before authentication."""

from collections.abc import Callable
from typing import Any

from dialects.databuddy import wire
from dialects.databuddy.sender import credentials, event_id, keys, surroundings, website
from gateway.dialect import Fault, Item, Request, Submission, Undecodable, bounded, decode

MAX_IN_BATCH = 100
NOT_ARRAY = Fault("not_array")
UNKNOWN_TYPE = Fault("unknown_type", "/type")
NO_WEBSITE = Fault("missing_website_id", "/websiteId")

ENTRIES = {
    "track": ("track", "track"),
    "outgoing_link": ("outgoing_link", "outgoing_link"),
    "custom": ("custom", "legacy_custom"),
    "web_vitals": ("web_vital", "legacy"),
    "error": ("error", "legacy"),
}
"""The types of `/` and `/batch` entries, to item kind and schema; the last three are of the SDKs of 2025."""


def track(request: Request) -> Submission:
    """Split the body of `/track`: one event or an array of any length."""
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return _unreadable(request, problem)
    events = bounded(body) if isinstance(body, list) else [body]
    first = website(events[0]) if events else None
    items = tuple([Item("custom", "custom", event, event_id(event), website(event)) for event in events])
    return Submission(credentials(request, first), items, context=surroundings(request, first))


def batch(request: Request) -> Submission:
    """Split the body of `/batch`: up to 100 entries, flat as the SDKs send them or wrapped as the page says."""
    return _split(request, MAX_IN_BATCH, entry)


def single(request: Request) -> Submission:
    """Take the body of `/`: one entry."""
    return _one(request, entry)


def outgoing(request: Request) -> Submission:
    """Take the body of `/outgoing`: one link, without a type."""
    return _one(request, lambda body: _wrapped("outgoing_link", "outgoing_link", body))


def array(kind: str, schema: str, most: int, request: Request) -> Submission:
    """Split the body of an endpoint that takes one kind of item, in an array of up to so many."""
    return _split(request, most, lambda element: Item(kind, schema, element, event_id(element)))


def identify(request: Request) -> Submission:
    """Take the body of `/identify`. A key alone does not say which site's person this is; `websiteId` must."""
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return _unreadable(request, problem)
    site = website(body)
    shown = credentials(request, site)
    item = Item("identify", "identify", body, event_id(body), site)
    fault = NO_WEBSITE if shown and shown[-1].kind != "website" else None
    return Submission(shown, (item,), fault, surroundings(request, site))


def llm(request: Request) -> Submission:
    """Take the body of `/llm`: one AI call or an array; only a key opens it, a public id does not."""
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return Submission(keys(request), fault=problem.fault)
    calls = bounded(body) if isinstance(body, list) else [body]
    items = tuple([Item("llm", "llm", call, event_id(call)) for call in calls])
    context = surroundings(request)
    context.pop("app", None)  # a site that the request names is no credential here, and so nobody checks it
    return Submission(keys(request), items, context=context)


def entry(body: Any) -> Item:
    """Return an entry of `/` or `/batch` as an item of the kind that its `type` says."""
    if not isinstance(body, dict):
        return Item("track", "track", body)
    type_ = body.get("type") or "track"
    found = ENTRIES.get(type_) if isinstance(type_, str) else None
    if found is None:
        return Item("track", "track", body, event_id(body), fault=UNKNOWN_TYPE)
    return _wrapped(*found, body)


def _wrapped(kind: str, schema: str, body: Any) -> Item:
    inner = wire.nested(body, kind) if isinstance(body, dict) else None
    return Item(kind, schema, body, event_id(inner) or event_id(body))


def _one(request: Request, make: Callable[[Any], Item]) -> Submission:
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return _unreadable(request, problem)
    return Submission(credentials(request), (make(body),), context=surroundings(request))


def _split(request: Request, most: int, make: Callable[[Any], Item]) -> Submission:
    try:
        body = decode(request.body)
    except Undecodable as problem:
        return _unreadable(request, problem)
    if not isinstance(body, list):
        return Submission(credentials(request), fault=NOT_ARRAY)
    if len(body) > most:
        return Submission(credentials(request), fault=Fault("too_many", detail={"limit": most}))
    return Submission(credentials(request), tuple(map(make, body)), context=surroundings(request))


def _unreadable(request: Request, problem: Undecodable) -> Submission:
    return Submission(credentials(request), fault=problem.fault)
