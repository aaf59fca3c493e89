"""Requests to submissions: who sends, what all items share, and the body split into items.

Pure, and runs before authentication: it is cheap and survives any body. Each function is named after its route.
"""

from collections.abc import Callable
from functools import partial

from dialects.databuddy import context, credentials, entries
from dialects.databuddy.pixel import unflatten
from dialects.databuddy.wire import event_id, website_id
from gateway.dialect import Fault, Item, Request, Submission, bounded, json_or_fault

_MISSING_SITE = Fault("missing_website_id", "/websiteId")
_NOT_ARRAY = Fault("not_array")
_UNKNOWN_TYPE = Fault("unknown_type", "/type")


def track(request: Request) -> Submission:
    """Return the submission of one event, or of an array of any length. The first event may name the site."""
    body, fault = json_or_fault(request.body)
    if fault is not None:
        return Submission(credentials.find(request), fault=fault)
    events = bounded(body) if isinstance(body, list) else [body]
    site = website_id(events[0]) if events else None
    items = tuple([Item("custom", "custom", event, event_id(event), website_id(event)) for event in events])
    return Submission(credentials.find(request, site), items, context=context.of_request(request, site))


def identify(request: Request) -> Submission:
    """Return the submission of one person. A key does not say which site knows the person, so the body must."""
    body, fault = json_or_fault(request.body)
    if fault is not None:
        return Submission(credentials.find(request), fault=fault)
    site = website_id(body)
    shown = credentials.find(request, site)
    item = Item("identify", "identify", body, event_id(body), site)
    missing = _MISSING_SITE if shown and shown[-1].kind != credentials.WEBSITE.name else None
    return Submission(shown, (item,), missing, context.of_request(request, site))


def llm(request: Request) -> Submission:
    """Return the submission of one AI call or of an array. Only a key opens this endpoint, not a site."""
    body, fault = json_or_fault(request.body)
    if fault is not None:
        return Submission(credentials.find_keys(request), fault=fault)
    calls = bounded(body) if isinstance(body, list) else [body]
    items = tuple([_item(call, kind="llm", schema="llm") for call in calls])
    shared = context.of_request(request)
    shared.pop("app", None)  # the site of the query or the header, which is not checked here
    return Submission(credentials.find_keys(request), items, context=shared)


def pixel(request: Request) -> Submission:
    """Return the submission of the event in a query. Vitals and errors have a schema; the vendor checks no others."""
    fields = unflatten(request.query)
    found = entries.kind_and_schema(request.query)
    kind = "track" if found is None else found[0]
    schema = kind if kind in ("web_vital", "error") else "pixel"
    site = website_id(fields)
    item = Item(kind, schema, fields, event_id(fields), site, fault=_UNKNOWN_TYPE if found is None else None)
    return Submission(credentials.find(request, site), (item,), context=context.of_request(request, site))


def _one(request: Request, *, make: Callable[[object], Item]) -> Submission:
    """Return the submission of a route whose body is one item."""
    body, fault = json_or_fault(request.body)
    if fault is not None:
        return Submission(credentials.find(request), fault=fault)
    return Submission(credentials.find(request), (make(body),), context=context.of_request(request))


def _array(request: Request, *, limit: int, make: Callable[[object], Item]) -> Submission:
    """Return the submission of a route whose body is an array of up to `limit` items."""
    body, fault = json_or_fault(request.body)
    if isinstance(body, list) and len(body) <= limit:
        items = tuple([make(element) for element in body])
        return Submission(credentials.find(request), items, context=context.of_request(request))
    if isinstance(body, list):
        fault = Fault("too_many", detail={"limit": limit})
    return Submission(credentials.find(request), fault=fault or _NOT_ARRAY)


def _item(body: object, *, kind: str, schema: str) -> Item:
    return Item(kind, schema, body, event_id(body))


def _entry(body: object) -> Item:
    """Return the item of an entry, whose kind its `type` names."""
    if not isinstance(body, dict):
        return Item("track", "track", body)
    found = entries.kind_and_schema(body)
    if found is None:
        return Item("track", "track", body, event_id(body), fault=_UNKNOWN_TYPE)
    return _flat_or_nested(body, kind=found[0], schema=found[1])


def _flat_or_nested(body: object, *, kind: str, schema: str) -> Item:
    payload = entries.nested(body, kind) if isinstance(body, dict) else None
    own = None if payload is None else event_id(payload)
    return Item(kind, schema, body, own or event_id(body))


batch = partial(_array, limit=100, make=_entry)
single = partial(_one, make=_entry)
outgoing = partial(_one, make=partial(_flat_or_nested, kind="outgoing_link", schema="outgoing_link"))
vitals = partial(_array, limit=20, make=partial(_item, kind="web_vital", schema="web_vital"))
errors = partial(_array, limit=50, make=partial(_item, kind="error", schema="error"))
events = partial(_array, limit=100, make=partial(_item, kind="custom", schema="named_event"))
engagement = partial(_array, limit=20, make=partial(_item, kind="engagement", schema="engagement"))
