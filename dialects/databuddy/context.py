"""The canonical context: the surroundings of a request, and those of an item."""

from collections.abc import Mapping
from typing import Any

from dialects.databuddy.credentials import SITE_HEADER, shows_key, site_of
from dialects.databuddy.places import CAMPAIGN, READ_BY_NAME, Place
from gateway.dialect import Request, clean_header, visitor

SDK_NAME_HEADER = "databuddy-sdk-name"
SDK_VERSION_HEADER = "databuddy-sdk-version"
SDK_USER_AGENTS = ("node", "databuddy-swift")  # these SDKs name themselves in User-Agent only (recorded)
_CAMPAIGN_KEYS = frozenset(CAMPAIGN)


def of_request(request: Request, item_site: str | None = None) -> dict[str, object]:
    """Return what all items of a request share: a browser's `ip` and `user_agent`, `library` and `app`, each if known.

    `item_site` is the site that the first item names. It holds for all items only if it opened the request: beside a
    key, other items need not belong to a site.
    """
    headers, query = request.headers, request.query
    context = visitor(request)
    user_agent = headers.get("user-agent")
    name = headers.get(SDK_NAME_HEADER) or query.get("sdk_name")
    version = headers.get(SDK_VERSION_HEADER) or query.get("sdk_version")
    if not name and not version and user_agent and user_agent.startswith(SDK_USER_AGENTS):
        product, _, rest = user_agent.partition("/")
        name, version = (product, rest) if product in SDK_USER_AGENTS else (None, None)
    if name or version:
        context["library"] = {
            key: clean_header(value) for key, value in (("name", name), ("version", version)) if value
        }
    site = site_of(request) if query or SITE_HEADER in headers else None
    if site is None and item_site is not None and not shows_key(request):
        site = item_site
    if site is not None:
        context["app"] = {"id": site}
    return context


def add_fields(
    context: dict[str, Any], fields: Mapping[str, Any], places: Mapping[str, Place], own: dict[str, object]
) -> dict[str, object]:
    """Add an item's fields to its context, and to `own` those that have a place in `context.databuddy` only.

    Return the others: facts of the event and unknown fields. One look-up for each field, since each event comes here.
    """
    rest: dict[str, object] = {}
    place_of = places.get
    for key, value in fields.items():
        place = place_of(key)
        if place is None:
            rest[key] = value
        elif place is READ_BY_NAME or value is None:
            continue
        elif type(value) not in place.types:
            rest[key] = value
        elif place.put is not None:
            place.put(context, own, place.name, value)
        elif not place.group:
            context[place.name] = value or context.get(place.name, value)  # an empty text replaces nothing
        elif place.group in context:
            context[place.group][place.name] = value
        else:
            context[place.group] = {place.name: value}
    return rest


def add_campaign(context: dict[str, Any], properties: Mapping[str, object]) -> None:
    """Copy the campaign to its canonical place. Trackers write it into a custom event's `properties` (recorded)."""
    if _CAMPAIGN_KEYS.isdisjoint(properties):
        return
    campaign = context.setdefault("campaign", {})
    for key, name in CAMPAIGN.items():
        if isinstance(properties.get(key), str):
            campaign.setdefault(name, properties[key])
    if not campaign:
        del context["campaign"]


def page(sent: str, own: dict[str, object]) -> dict[str, object]:
    """Return the parts of a page's address, with `url` if it is absolute and `search` if it has a query.

    `https://a.example/x?y=1#z` gives `{"url": "https://a.example/x?y=1#z", "path": "/x", "search": "?y=1"}`, and
    `/x?y=1` gives `{"path": "/x", "search": "?y=1"}`. `own` keeps a relative address that these do not give back whole.
    """
    before, mark, query = sent.partition("#")[0].partition("?")
    scheme, found, rest = before.partition("://")
    parts: dict[str, object]
    if found and "/" not in scheme:
        parts = {"url": sent, "path": "/" + rest.partition("/")[2]}
    else:
        parts = {"path": before}
        if len(before) + len(mark) + len(query) < len(sent) or (mark and not query):
            own["path"] = sent
    if query:
        parts["search"] = mark + query
    return parts
