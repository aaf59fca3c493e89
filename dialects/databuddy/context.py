"""The canonical context: the surroundings of a request, and those of an item."""

from collections.abc import Mapping
from typing import cast

from dialects.databuddy import wire
from dialects.databuddy.credentials import SITE_HEADER, shows_key, site_of
from dialects.databuddy.wire import WireItem
from gateway.dialect import Received, Request, clean_header, visitor

SDK_NAME_HEADER = "databuddy-sdk-name"
SDK_VERSION_HEADER = "databuddy-sdk-version"
SDK_USER_AGENTS = ("node", "databuddy-swift")  # these SDKs name themselves in User-Agent only (recorded)
_CAMPAIGN_KEYS = frozenset(wire.CAMPAIGN)


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


def of_item(
    sent: WireItem, site: str | None, received: Received, own: dict[str, object], *, campaign_in_properties: bool
) -> dict[str, object]:
    """Return an item's context, `site` being the one that it names itself.

    Fields that have no canonical place are added to `own`, which is to become `context.databuddy`.
    """
    context = dict(received.context)
    if site is not None:
        context["app"] = {"id": site}
    if sent.path is not None:
        context["page"] = _page(sent.path, own)
    if sent.surroundings:
        _add_surroundings(context, sent.surroundings, own)
    if campaign_in_properties and sent.properties and not _CAMPAIGN_KEYS.isdisjoint(sent.properties):
        _add_campaign(context, sent.properties)
    return context


def _page(sent: str, own: dict[str, object]) -> dict[str, object]:
    """Return the parts of a page's address, with `url` if it is absolute and `search` if it has a query.

    `https://a.example/x?y=1#z` gives `{"url": "https://a.example/x?y=1#z", "path": "/x", "search": "?y=1"}`, and
    `/x?y=1` gives `{"path": "/x", "search": "?y=1"}`. `own` keeps a relative address that these do not give back whole.
    """
    before, mark, query = sent.partition("#")[0].partition("?")
    scheme, found, rest = before.partition("://")
    page: dict[str, object]
    if found and "/" not in scheme:
        page = {"url": sent, "path": "/" + rest.partition("/")[2]}
    else:
        page = {"path": before}
        if len(before) + len(mark) + len(query) < len(sent) or (mark and not query):
            own["path"] = sent
    if query:
        page["search"] = mark + query
    return page


def _add_surroundings(context: dict[str, object], surroundings: Mapping[str, object], own: dict[str, object]) -> None:
    for key, value in surroundings.items():
        place = wire.PLACES.get(key)
        if place is not None:
            group, name = place
            if group in context:
                cast(dict[str, object], context[group])[name] = value
            else:
                context[group] = {name: value}
        elif key in wire.TOP_PLACES:
            name = wire.TOP_PLACES[key]
            context[name] = value or context.get(name, value)  # an empty text replaces nothing
        elif key in wire.SIZES:
            size = _size(value)
            if size is None:
                own[key] = value
            else:
                context[wire.SIZES[key]] = size
        elif key == wire.REFERRER:
            if value == wire.NO_REFERRER:
                own["referrer"] = value
            elif value != "":
                cast(dict[str, object], context.setdefault("page", {}))["referrer"] = value
        else:
            own[wire.OWN_PLACES[key]] = value


def _add_campaign(context: dict[str, object], properties: Mapping[str, object]) -> None:
    """Copy the campaign to its canonical place. Trackers write it into a custom event's `properties` (recorded)."""
    campaign = cast(dict[str, object], context.setdefault("campaign", {}))
    for key, name in wire.CAMPAIGN.items():
        if isinstance(properties.get(key), str):
            campaign.setdefault(name, properties[key])
    if not campaign:
        del context["campaign"]


def _size(text: object) -> dict[str, int] | None:
    """Return `1920x1080` as a width and a height; None for a text that these would not give back unchanged."""
    if not isinstance(text, str) or len(text) > 11 or not text.isascii():
        return None
    width, _, height = text.partition("x")
    if not width.isdecimal() or not height.isdecimal() or width[0] == "0" or height[0] == "0":
        return None
    return {"width": int(width), "height": int(height)}
