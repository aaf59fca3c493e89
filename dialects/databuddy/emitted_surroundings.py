"""The surroundings of an event as an item's fields, and as what stands beside it in the request. Pure."""

from collections.abc import Mapping
from typing import Any

from dialects.databuddy.context import SDK_NAME_HEADER, SDK_USER_AGENTS, SDK_VERSION_HEADER, page
from dialects.databuddy.emitted_kinds import CUSTOM, Kind
from dialects.databuddy.places import CAMPAIGN, SIZE_FIELDS
from gateway.dialect import Beside, Source, beside_connection, is_header

NAME = "databuddy"
MAX_PATH = 2048
_SHORT_PATHS = frozenset({"batch", "vitals", "errors", "engagement"})
"""Routes whose schemas have this limit."""
_OWN_FIELDS = {
    "session_start": "sessionStartTime",
    "anonymize_visitor_ids": "anonymizeVisitorIds",
    "screen_resolution": "screen_resolution",
    "viewport_size": "viewport_size",
    "referrer": "referrer",
}
_LABELS = ("namespace", "source")
_PLACES: Mapping[tuple[str, ...], str] = {
    ("network", "type"): "connection_type",
    ("network", "rtt"): "rtt",
    ("network", "downlink"): "downlink",
    ("locale",): "language",
    ("timezone",): "timezone",
    **{("campaign", key): field for field, key in CAMPAIGN.items()},
}


def add_surroundings(item: dict[str, object], source: Source, kind: Kind) -> None:
    """Add the fields of the page, the screen, the network, the campaign and the visitor's settings.

    Of a custom event the vendor keeps none but its path beside `properties`: what other dialects know goes there.
    """
    for label in _LABELS if kind.has_labels else ():
        _add(item, label, source.take_own(label))
    for key, field in _OWN_FIELDS.items():
        _add(item, field, source.take_own(key))
    _add_path(item, source, kind)
    if kind is CUSTOM and not source.own:
        return
    _add(item, "title", source.take("page", "title"))
    _add(item, "referrer", source.take("page", "referrer"))
    for name, field in SIZE_FIELDS.items():
        if field not in item:
            _add_size(item, source, name, field)
    for path, field in _PLACES.items():
        _add(item, field, source.take(*path))


def _add(item: dict[str, object], field: str, value: object) -> None:
    if value is not None:
        item[field] = value


def _add_path(item: dict[str, object], source: Source, kind: Kind) -> None:
    path, search, url = source.take("page", "path"), source.take("page", "search"), source.take("page", "url")
    whole = source.take_own("path")
    sent = next((each for each in (url, whole) if each is not None), None)
    if sent is None and (path is not None or search is not None):
        sent = (path or "") + (search or "")
    if sent is None:
        return
    if len(sent) > MAX_PATH and (not source.own or kind.route in _SHORT_PATHS):
        for name, value in (("url", url), ("path", path), ("search", search)):
            if value is not None:
                source.lose(f"context.page.{name}", "limit")
        return
    item["path"] = sent
    told = page(sent, {})
    for name, value in (("url", url), ("path", path), ("search", search)):
        if value is not None and told.get(name) != value:
            source.lose(f"context.page.{name}", "taken")


def _add_size(item: dict[str, object], source: Source, name: str, field: str) -> None:
    width, height = source.take(name, "width"), source.take(name, "height")
    if width is None and height is None:
        return
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        item[field] = f"{width}x{height}"
        return
    for key, value in (("width", width), ("height", height)):
        if value is not None:
            source.lose(f"context.{name}.{key}", "limit")


def beside(source: Source, item: dict[str, object], kind: Kind) -> Beside:
    """Return what stands beside an item: its site, the SDK, and the connection of its visitor.

    What a header cannot hold goes into the query or the item, from which the gateway takes it too.
    """
    query: dict[str, str] = {}
    site = source.take("app", "id") if source.own else None
    if site is not None and kind.route == "identify":
        item["websiteId"] = site
    elif site is not None:
        query["website_id" if kind.route == "track" else "client_id"] = site
    told: dict[str, str] = {}
    for key, header, parameter in (
        ("name", SDK_NAME_HEADER, "sdk_name"),
        ("version", SDK_VERSION_HEADER, "sdk_version"),
    ):
        value: Any = source.take("library", key)
        if value is None:
            continue
        if is_header(value):
            told[header] = value
        else:
            query[parameter] = value
    user_agent = source.event["context"].get("user_agent")
    if isinstance(user_agent, str) and (user_agent.startswith(SDK_USER_AGENTS) or not is_header(user_agent)):
        item["userAgent"] = source.take("user_agent")
    headers, address = beside_connection(source, _origin(source))
    if source.has("ip"):
        item["ip"] = source.take("ip")
    return Beside(query, {**told, **headers}, address)


def _origin(source: Source) -> str | None:
    """Return the origin of the page, by which the vendor knows that a browser may send for the site."""
    url = source.event["context"].get("page", {}).get("url")
    scheme, found, rest = (url or "").partition("://")
    if not found or scheme not in ("http", "https"):
        return None
    host = rest.partition("/")[0].partition("?")[0].partition("#")[0].rpartition("@")[2]
    origin = f"{scheme}://{host}"
    return origin if host and is_header(origin) and " " not in origin else None
