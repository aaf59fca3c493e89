"""An item to a canonical event. Pure: no clock, no file, nothing remembered.

Each function is named after its kind of item. A pageview is a `page`, an event a `track`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from gateway.dialect import Event, Fault, Item, Received, Translated, from_iso, time_or_original

from goatcounter_dialect.wire import Hit, numbers

_MOST_SIZE = 2**31 - 1
_MARGIN = timedelta(seconds=5)
_MOST_PARAMETERS = 1000

# The parameters of a query by their canonical place; of several the first one counts.
_CAMPAIGN = {
    "source": ("utm_source", "ref", "src", "source"),
    "medium": ("utm_medium",),
    "name": ("utm_campaign", "campaign"),
    "term": ("utm_term",),
    "content": ("utm_content",),
    "gclid": ("gclid",),
    "fbclid": ("fbclid",),
    "ttclid": ("ttclid",),
    "twclid": ("twclid",),
    "li_fat_id": ("li_fat_id",),
    "msclkid": ("msclkid",),
}


def hit(item: Item, message_id: str, received: Received) -> Translated:
    """Return the event of a hit of the API, which must say whose visit it is."""
    assert isinstance(item.payload, dict), "the schema accepts objects only"
    sent = Hit.of_api(item.payload)
    own = received.context["goatcounter"]
    assert isinstance(own, Mapping)
    if not (sent.session or (sent.user_agent and sent.ip) or own.get("no_sessions")):
        return Fault("no_session")
    if not sent.is_event and not sent.path.strip():
        return Fault("required", "/path")
    return _event(sent, received, own)


def pixel(item: Item, message_id: str, received: Received) -> Translated:
    """Return the event of a pixel. Its visitor is the one of the connection."""
    assert isinstance(item.payload, dict), "the schema accepts objects only"
    return _event(Hit.of_pixel(item.payload), received, {})


def _event(sent: Hit, received: Received, own: Mapping[str, object]) -> Translated:
    timestamp: str | None = received.received_at
    original: object = None
    if sent.created_at is not None:
        timestamp, original = time_or_original(sent.created_at, from_iso)
    if timestamp is None:
        return Fault("not_a_time", "/created_at")
    if _instant(timestamp) > _instant(received.received_at) + _MARGIN:
        return Fault("future", "/created_at")
    if any(number > _MOST_SIZE for number in numbers(sent.size) or ()):
        return Fault("maximum", "/size", {"limit": _MOST_SIZE})
    return Event(
        type="track" if sent.is_event else "page",
        name=_event_name(sent) if sent.is_event else sent.title,
        timestamp=timestamp,
        session_id=sent.session,
        properties={"title": sent.title} if sent.is_event and sent.title else {},
        context=_context(sent, received, {**own, "timestamp": original}),
    )


def _event_name(sent: Hit) -> str:
    """Return the name as GoatCounter shows it."""
    return sent.path.lstrip("/") or "(no event name)"


def _context(sent: Hit, received: Received, own: Mapping[str, object]) -> dict[str, object]:
    search = _search(sent)
    page: dict[str, object] = {"referrer": sent.ref, "search": search}
    said: tuple[str, ...] = (_event_name(sent),)  # what says all of the path that was sent
    if not sent.is_event:
        path = _path(sent)
        page |= {"path": path, "title": sent.title}
        said = (path, f"{path}{search or ''}")
    screen, size = _screen(sent.size)
    return _known(
        {
            **received.context,
            "ip": sent.ip or received.context.get("ip"),
            "user_agent": sent.user_agent or received.context.get("user_agent"),
            "locale": sent.language or received.context.get("locale"),
            "page": _known(page),
            "campaign": _campaign(search),
            "screen": screen,
            "app": _known({"id": received.site}),
            "goatcounter": _known(
                {
                    **own,
                    "path": None if sent.path in said else sent.path,
                    "size": size,
                    "bot": sent.bot,
                    "location": sent.location,
                    "no_session": sent.no_session,
                    "rnd": sent.random,
                    "extra": sent.unknown,
                }
            ),
        }
    )


def _known(facts: Mapping[str, object]) -> dict[str, object]:
    return {place: fact for place, fact in facts.items() if fact is not None and fact != {}}


def _path(sent: Hit) -> str:
    path = sent.path.strip().partition("?")[0]
    return path if path.startswith("/") else f"/{path}"


def _search(sent: Hit) -> str | None:
    """Return the query that was sent as such, else the one in the page's path."""
    query = sent.query
    if query is None and not sent.is_event:
        query = sent.path.partition("?")[2].strip() or None
    return query if query is None or query.startswith("?") else f"?{query}"


def _campaign(search: str | None) -> dict[str, object]:
    try:
        query = parse_qsl((search or "")[1:], max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return {}
    values: dict[str, str] = {}
    for name, value in query:
        if value.strip():
            values.setdefault(name, value.strip())
    found = {
        place: next((values[name] for name in names if name in values), None) for place, names in _CAMPAIGN.items()
    }
    return _known(found)


def _screen(size: object) -> tuple[dict[str, object], object]:
    """Return the screen, and the size as it was sent where it does not fit there."""
    found = numbers(size)
    if not found:
        return {}, size
    if len(found) > 3 or not all(type(number) is int for number in found[:2]):
        return {}, size
    return dict(zip(("width", "height", "density"), found, strict=False)), None


def _instant(time: str) -> datetime:
    return datetime.fromisoformat(time)
