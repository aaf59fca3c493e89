"""Which kind of item an event becomes: its route, its fields, and what its schema says of them. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from dialects.databuddy import wire
from dialects.databuddy.places import CAMPAIGN
from gateway.dialect import Source, value_class

NAME = "databuddy"
MAX_LINK = 2048
VITALS = frozenset({"FCP", "LCP", "CLS", "INP", "TTFB", "FPS"})
_NUMBERS = (
    (wire.LOADING | wire.VISIT | {"domain_lookup_time"}) | (wire.SPAN - {"exitType"}) | {"durationMs", "httpStatus"}
)
_TEXTS = {"text": 2048, "filename": 512, "stack": 4096, "errorType": 128, "exitType": None, "finishReason": None}
_NONE: frozenset[str] = frozenset()


@value_class
class Kind:
    """A kind of item. `route` takes it; `entry` is its `type` in a batch, if it has one there.

    `facts` are the fields beside `properties`. `most_id` is how long an id may be, `has_labels` whether it has a
    namespace and a source.
    """

    route: str
    entry: str | None = None
    name_field: str | None = None
    facts: frozenset[str] = _NONE
    campaign_in_properties: bool = False
    most_id: int | None = None
    has_labels: bool = False

    def takes(self, name: str, value: object) -> bool:
        """Return whether the schema takes a value in a field beside `properties`."""
        if name in _NUMBERS:
            return _is_number(value)
        if name in ("lineno", "colno"):
            return _is_number(value) and isinstance(value, int | float) and value <= 100_000
        if name in _TEXTS and not (name == "text" and self is PAGE):
            most = _TEXTS[name]
            return isinstance(value, str) and (most is None or len(value) <= most)
        if name in ("usage", "cost"):
            return isinstance(value, dict)
        return True


CUSTOM = Kind("track", name_field="name", campaign_in_properties=True, most_id=256, has_labels=True)
LEGACY = Kind("batch", "custom", name_field="name", campaign_in_properties=True, has_labels=True)
PAGE = Kind("batch", "track", name_field="name", facts=wire.PAGE.facts)
LINK = Kind("batch", "outgoing_link", facts=wire.LINK.facts)
VITAL = Kind("vitals", facts=wire.VITAL.facts)
ERROR = Kind("errors", facts=wire.ERROR.facts)
OLD_VITAL = Kind("batch", "web_vitals", facts=wire.VITAL.facts)
OLD_ERROR = Kind("batch", "error", facts=wire.ERROR.facts)
ENGAGEMENT = Kind("engagement", facts=wire.ENGAGEMENT.facts)
AI_CALL = Kind("llm", facts=wire.AI_CALL.facts)

_MEASURED = ("screen", "viewport", "network", "locale", "timezone")
_OWN = ("session_start", "screen_resolution", "viewport_size", "referrer")
_MEASUREMENTS = wire.LOADING | wire.VISIT
_LONG = 64  # characters of a namespace or a source that `/track` takes
_LONG_ID = 256


def kind_of(source: Source, name: str) -> Kind:
    """Return the kind of a page, or of something that a person did, by what its name and its properties say."""
    if source.type == "page":
        return PAGE
    of_name = _BY_NAME.get(name)
    found = of_name(source) if of_name is not None and source.type == "track" else None
    if found is not None:
        return found
    if not source.own:
        return CUSTOM
    if name != "screen_view" and _is_measured(source):
        return PAGE
    labels = [source.event["context"].get(NAME, {}).get(label) or "" for label in ("namespace", "source")]
    ids = [str(source.event[field] or "") for field in ("anonymous_id", "session_id")]
    is_long = any(len(text) > _LONG for text in labels) or any(len(each) > _LONG_ID for each in ids)
    return LEGACY if is_long or _is_nested(source) else CUSTOM


def _is_measured(source: Source) -> bool:
    """Return whether an event of this dialect is the tracker's own: a custom event has labels, and no surroundings."""
    if source.has(NAME, "namespace") or source.has(NAME, "source"):
        return False
    campaign = source.event["context"].get("campaign", {})
    properties = source.properties
    if any(isinstance(properties.get(field), str) and name not in campaign for field, name in CAMPAIGN.items()):
        return True  # a custom event's properties would have told of the campaign
    if source.has(NAME, "properties"):
        return True  # only a fact takes a property's place
    if not wire.PAGE.places.keys().isdisjoint(source.event["context"].get(NAME, {}).get("extra", ())):
        return False  # there the schema would have refused a known field of another type
    if not _MEASUREMENTS.isdisjoint(properties):
        return True
    has_page = source.has("page", "title") or source.has("page", "referrer")
    return has_page or any(source.has(place) for place in _MEASURED) or any(source.has(NAME, key) for key in _OWN)


def _link(source: Source) -> Kind | None:
    href, text = source.properties.get("href"), source.properties.get("text")
    fits = isinstance(href, str) and len(href) <= MAX_LINK and (text is None or LINK.takes("text", text))
    return LINK if fits else None


def _vital(source: Source) -> Kind | None:
    properties = source.properties
    if _is_nested(source):
        return OLD_VITAL
    if _has_path(source) and properties.get("metricName") in VITALS and _is_number(properties.get("metricValue")):
        return VITAL
    return OLD_VITAL if source.own else None


def _error(source: Source) -> Kind | None:
    message = source.properties.get("message")
    if _is_nested(source):
        return OLD_ERROR
    if _has_path(source) and isinstance(message, str) and len(message) <= MAX_LINK:
        return ERROR
    return OLD_ERROR if source.own else None


def _engagement(source: Source) -> Kind | None:
    return ENGAGEMENT if source.own else None


def _ai_call(source: Source) -> Kind | None:
    properties: Mapping[str, Any] = source.properties
    return AI_CALL if all(isinstance(properties.get(name), str) for name in ("type", "model", "provider")) else None


_BY_NAME: Mapping[str, Callable[[Source], Kind | None]] = {
    "outgoing_link": _link,
    "web_vital": _vital,
    "error": _error,
    "engagement": _engagement,
    "ai_call": _ai_call,
}


def _is_nested(source: Source) -> bool:
    """Return whether an event of this dialect came in an entry's `payload`: only `/` and `/batch` take one."""
    return source.own and (source.has(NAME, "envelope") or source.has(NAME, "type"))


def _has_path(source: Source) -> bool:
    return source.has("page", "path") or source.has("page", "url")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
