"""What Databuddy's SDKs send, as values: flat JSON objects, sorted into the parts that translation needs.

Every endpoint takes the same few ids at the top of an object. What its other fields are, a `Vocabulary` says. Field
names are documented for `/track` and `/batch`; the others are taken from the sources of the trackers and the servers.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from gateway.dialect import NOTHING, value_class

MAX_SITE = 255  # characters of a website id

CAMPAIGN: Mapping[str, str] = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
    "gclid": "gclid",
    "fbclid": "fbclid",
    "ttclid": "ttclid",
    "twclid": "twclid",
    "li_fat_id": "li_fat_id",
    "msclkid": "msclkid",
}
"""Fields with the campaign, and their keys in `context.campaign`."""

PLACES: Mapping[str, tuple[str, str]] = {
    "title": ("page", "title"),
    "connection_type": ("network", "type"),
    "rtt": ("network", "rtt"),
    "downlink": ("network", "downlink"),
    **{key: ("campaign", name) for key, name in CAMPAIGN.items()},
}
"""Fields with a place in an object of the context: `("page", "title")` is `context.page.title`."""

TOP_PLACES: Mapping[str, str] = {
    "language": "locale",
    "timezone": "timezone",
    "ip": "ip",
    "userAgent": "user_agent",
}
SIZES: Mapping[str, str] = {"screen_resolution": "screen", "viewport_size": "viewport"}
REFERRER = "referrer"
NO_REFERRER = "direct"  # the tracker's word for a visit without a referrer
OWN_PLACES: Mapping[str, str] = {
    "namespace": "namespace",
    "source": "source",
    "anonymizeVisitorIds": "anonymize_visitor_ids",
    "sessionStartTime": "session_start",
}
"""Fields that have a place in `context.databuddy` only."""

CORE = frozenset({"eventId", "anonymousId", "sessionId", "profileId", "timestamp", "path", "properties"})

_TEXT: tuple[type, ...] = (str,)
_NUMBER: tuple[type, ...] = (int, float)
_SCALAR: tuple[type, ...] = (str, int, float, bool)

SURROUNDINGS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys([*PLACES, *TOP_PLACES, *SIZES, REFERRER], _TEXT),
    "rtt": _NUMBER,
    "downlink": _NUMBER,
    "sessionStartTime": _SCALAR,
    "anonymizeVisitorIds": _SCALAR,
}
"""Fields for the context, which any item may have, and their types. A value of another type is an unknown field."""

LABELS: Mapping[str, tuple[type, ...]] = {"namespace": _TEXT, "source": _TEXT}
"""The same for custom events and pixels only."""

LOADING = frozenset({"load_time", "dom_ready_time", "dom_interactive", "render_time", "redirect_time", "ttfb"})
VISIT = frozenset({"time_on_page", "scroll_depth", "interaction_count", "page_count"})
SPAN = frozenset({"pageIndex", "exitType", "timeOnPage", "activeTime", "timeToFirstInteraction", "maxScrollDepth"})
CLICKS = frozenset({"clickCount", "rageClickCount", "rageClickTarget", "deadClickCount", "deadClickTarget"})
INPUT = frozenset({"scrollCount", "keyCount", "interactionCount", "copyCount", "errorCount"})  # spelling inferred
FORM = frozenset({"formFieldCount", "formSubmitCount", "lastFormField"})
CALL = frozenset({"traceId", "type", "model", "provider", "input", "tools"})
RESULT = frozenset({"finishReason", "output", "usage", "cost", "error", "durationMs", "httpStatus"})


@value_class
class Vocabulary:
    """The fields that one kind of item may have; all others are unknown fields.

    `name_field` is the field with the event's name; without one, the name is `fixed_name`. `core` are the fields that
    WireItem has attributes for, `surroundings` those for the context and their types, `facts` those about the event
    itself (null means absent). With `campaign_in_properties`, `properties` may have the fields of CAMPAIGN too. With
    `has_pages`, an event named `screen_view` is a page.
    """

    fixed_name: str | None = None
    name_field: str | None = None
    core: frozenset[str] = CORE
    surroundings: Mapping[str, tuple[type, ...]] = SURROUNDINGS
    facts: frozenset[str] = frozenset()
    campaign_in_properties: bool = False
    has_pages: bool = False

    def entry(self) -> "Vocabulary":
        """Return the same kind as an entry of `/` or `/batch`, which has a `type` too."""
        return attrs.evolve(self, core=self.core | {"type"})

    def pixel(self) -> "Vocabulary":
        """Return the same kind as a pixel's query, which may have the fields of a custom event too."""
        surroundings = {**self.surroundings, **LABELS}
        return attrs.evolve(
            self, core=self.core | {"websiteId"}, surroundings=surroundings, campaign_in_properties=True
        )


CUSTOM = Vocabulary(
    name_field="name",
    core=CORE | {"name", "websiteId"},
    surroundings={**SURROUNDINGS, **LABELS},
    campaign_in_properties=True,
)
LEGACY = Vocabulary(
    name_field="name", core=CORE | {"name"}, surroundings={**SURROUNDINGS, **LABELS}, campaign_in_properties=True
)
NAMED = Vocabulary(name_field="eventName", core=CORE | {"eventName"}, campaign_in_properties=True)
PAGE = Vocabulary(
    name_field="name",
    core=CORE | {"name"},
    facts=LOADING | VISIT | {"domain_lookup_time", "href", "text", "value"},
    has_pages=True,
)
LINK = Vocabulary("outgoing_link", facts=frozenset({"href", "text"}))
VITAL = Vocabulary("web_vital", facts=frozenset({"metricName", "metricValue"}))
ERROR = Vocabulary("error", facts=frozenset({"message", "filename", "lineno", "colno", "stack", "errorType"}))
ENGAGEMENT = Vocabulary("engagement", facts=SPAN | CLICKS | INPUT | FORM)
IDENTIFY = Vocabulary(core=CORE | {"websiteId", "traits"})
AI_CALL = Vocabulary("ai_call", facts=CALL | RESULT)


@value_class
class WireItem:
    """One object as it was sent, sorted by its vocabulary. An empty id is None.

    `name` is a page's title if the item `is_page`. `surroundings` has no nulls. `rest` has the facts of the event and
    the unknown fields. The keys of both are the vendor's. `timestamp` has any type.
    """

    name: str | None
    is_page: bool
    anonymous_id: str | None
    session_id: str | None
    profile_id: str | None
    timestamp: object
    path: str | None
    properties: Mapping[str, object]
    surroundings: Mapping[str, object]
    rest: dict[str, object]

    @classmethod
    def read(cls, fields: dict[str, Any], vocabulary: Vocabulary) -> "WireItem":
        """Sort the fields of an object that its schema has accepted."""
        core, known, facts = vocabulary.core, vocabulary.surroundings, vocabulary.facts
        surroundings: dict[str, object] = {}
        rest: dict[str, object] = {}
        for key, value in fields.items():
            if key in core:
                continue
            types = known.get(key)
            if types is None:
                if value is not None or key not in facts:
                    rest[key] = value
            elif type(value) in types:
                surroundings[key] = value
            elif value is not None:
                rest[key] = value
        find = fields.get
        properties = find("properties")
        if properties is None:
            properties = NOTHING
        elif not isinstance(properties, dict):  # possible on the pixel only, whose schema does not check it
            rest["properties"] = properties
            properties = NOTHING
        name = vocabulary.fixed_name if vocabulary.name_field is None else find(vocabulary.name_field)
        is_page = vocabulary.has_pages and name == "screen_view"
        return cls(  # in the fields' order: keywords would take 0.4 us more, a twentieth of parsing and translating
            (find("title") or None) if is_page else name,
            is_page,
            find("anonymousId") or None,
            find("sessionId") or None,
            find("profileId") or None,
            find("timestamp"),
            find("path"),
            properties,
            surroundings,
            rest,
        )


def event_id(body: object) -> str | None:
    """Return the id that the client gave an item."""
    return _text(body, "eventId")


def website_id(body: object) -> str | None:
    """Return the site that an item names. One that is too long is left to the schema, which rejects the item."""
    site = _text(body, "websiteId")
    return site if site is None or len(site) <= MAX_SITE else None


def _text(body: object, field: str) -> str | None:
    value = body.get(field) if isinstance(body, dict) else None
    return value if value and isinstance(value, str) else None


def traits(fields: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the traits in the body of `/identify`."""
    return fields.get("traits") or NOTHING
