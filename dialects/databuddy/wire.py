"""What Databuddy's SDKs send: flat JSON objects, sorted into the parts that translation needs. Pure.

Every endpoint takes the same few identifiers at the top of an object; the rest is told apart by a vocabulary. The
field names are documented for `/track` and `/batch`, and taken from the trackers' and servers' sources elsewhere.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from gateway.dialect import value_class

NOTHING: Mapping[str, object] = {}

HEAD = frozenset({"eventId", "anonymousId", "sessionId", "profileId", "timestamp", "path", "properties"})

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

PAGE_KEYS = frozenset({"title", "referrer", "screen_resolution", "viewport_size", "timezone", "language"})
NETWORK_KEYS = frozenset({"connection_type", "rtt", "downlink"})
SURROUNDINGS = PAGE_KEYS | NETWORK_KEYS | CAMPAIGN.keys() | {"sessionStartTime", "anonymizeVisitorIds"}
LABELS = frozenset({"namespace", "source", "anonymizeVisitorIds"})
PRIVACY = frozenset({"anonymizeVisitorIds"})

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
    """The fields of one kind of item; all others are the site's own.

    `name_field` holds the event's name, or `fixed_name` is it. `head` are the fields with a place of their own,
    `around` those that describe the surroundings, `own` those that are facts of the event (null means absent).
    `tagged` kinds carry the campaign in their `properties`; a `paged` kind's `screen_view` is a page.
    """

    fixed_name: str | None = None
    name_field: str | None = None
    head: frozenset[str] = HEAD
    around: frozenset[str] = PRIVACY
    own: frozenset[str] = frozenset()
    tagged: bool = False
    paged: bool = False

    def entry(self) -> "Vocabulary":
        """Return the same kind as an entry of `/` or `/batch`, where `type` says which kind it is."""
        return attrs.evolve(self, head=self.head | {"type"})

    def pixel(self) -> "Vocabulary":
        """Return the same kind as the pixel's query, which tells custom events and others not apart."""
        return attrs.evolve(self, head=self.head | {"websiteId"}, around=self.around | LABELS, tagged=True)


CUSTOM = Vocabulary(name_field="name", head=HEAD | {"name", "websiteId"}, around=LABELS, tagged=True)
LEGACY = Vocabulary(name_field="name", head=HEAD | {"name"}, around=LABELS, tagged=True)
NAMED = Vocabulary(name_field="eventName", head=HEAD | {"eventName"}, tagged=True)
PAGE = Vocabulary(
    name_field="name",
    head=HEAD | {"name"},
    around=SURROUNDINGS,
    own=LOADING | VISIT | {"domain_lookup_time", "href", "text", "value"},
    paged=True,
)
LINK = Vocabulary("outgoing_link", around=SURROUNDINGS, own=frozenset({"href", "text"}))
VITAL = Vocabulary("web_vital", own=frozenset({"metricName", "metricValue"}))
ERROR = Vocabulary("error", own=frozenset({"message", "filename", "lineno", "colno", "stack", "errorType"}))
ENGAGEMENT = Vocabulary("engagement", own=SPAN | CLICKS | INPUT | FORM)
IDENTIFY = Vocabulary(head=HEAD | {"websiteId", "traits"})
AI_CALL = Vocabulary("ai_call", own=CALL | RESULT)


@value_class
class Sent:
    """One object as sent, sorted: who and when, its `properties`, its surroundings, and all the rest.

    `around` has no nulls; `rest` has the item's own facts and the site's own fields, under the vendor's names.
    """

    name: str | None
    anonymous_id: str | None
    session_id: str | None
    profile_id: str | None
    timestamp: object
    path: str | None
    properties: Mapping[str, object]
    around: Mapping[str, object]
    rest: dict[str, object]

    @classmethod
    def read(cls, fields: dict[str, Any], vocabulary: Vocabulary) -> "Sent":
        """Sort the fields of one object that its schema lets through."""
        head, known, own = vocabulary.head, vocabulary.around, vocabulary.own
        around: dict[str, object] = {}
        rest: dict[str, object] = {}
        for key, value in fields.items():
            if key in head:
                continue
            if key in known:
                if value is not None:
                    around[key] = value
            elif value is not None or key not in own:
                rest[key] = value
        find = fields.get
        properties = find("properties")
        if properties is None:
            properties = NOTHING
        elif not isinstance(properties, dict):  # only the pixel, which has no schema, lets it through
            rest["properties"] = properties
            properties = NOTHING
        name = vocabulary.fixed_name if vocabulary.name_field is None else find(vocabulary.name_field)
        return cls(
            name,
            find("anonymousId") or None,
            find("sessionId") or None,
            find("profileId") or None,
            find("timestamp"),
            find("path"),
            properties,
            around,
            rest,
        )


REQUIRED: Mapping[str, str] = {"track": "name", "custom": "name", "outgoing_link": "href"}


def nested(item: dict[str, object], kind: str) -> dict[str, object] | None:
    """Return what an entry of `/` or `/batch` wraps in `payload`, or None where it is flat.

    The vendor's page nests, its SDKs do not; a flat entry may well have a field of its own named `payload`.
    """
    payload = item.get("payload")
    if not isinstance(payload, dict):
        return None
    required = REQUIRED.get(kind)
    return payload if required is None or required in payload or required not in item else None


def envelope(item: dict[str, object], inner: dict[str, object]) -> dict[str, object]:
    """Return what the wrapper of a nested entry says beyond its type, payload and id."""
    used = {"type", "payload"} if inner.get("eventId") else {"type", "payload", "eventId"}
    return {key: value for key, value in item.items() if key not in used}
