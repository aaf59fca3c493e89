"""What Databuddy's SDKs send, as values: flat JSON objects, sorted into the parts that translation needs.

Every endpoint takes the same few ids at the top of an object. What its other fields are, a `Vocabulary` says. Field
names are documented for `/track` and `/batch`; the others are taken from the sources of the trackers and the servers.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from dialects.databuddy.places import FACT, LABELS, READ_BY_NAME, SURROUNDINGS, Place
from gateway.dialect import NOTHING, value_class

MAX_SITE = 255  # characters of a website id

CORE = frozenset({"eventId", "anonymousId", "sessionId", "profileId", "timestamp", "path", "properties"})

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
    are read by their names, `surroundings` those for the context, `facts` those about the event itself (null means
    absent). With `campaign_in_properties`, `properties` may have the fields of CAMPAIGN too. With `has_pages`, an event
    named `screen_view` is a page. `places` has all of the fields.
    """

    fixed_name: str | None = None
    name_field: str | None = None
    core: frozenset[str] = CORE
    surroundings: Mapping[str, Place] = SURROUNDINGS
    facts: frozenset[str] = frozenset()
    campaign_in_properties: bool = False
    has_pages: bool = False
    places: Mapping[str, Place] = attrs.field(init=False)

    @places.default
    def _all(self) -> Mapping[str, Place]:
        return {
            **dict.fromkeys(self.facts, FACT),
            **self.surroundings,
            **dict.fromkeys(self.core, READ_BY_NAME),
        }

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
