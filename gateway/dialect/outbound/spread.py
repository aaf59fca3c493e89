"""What to do with facts that a vendor has no place for, and with types of events that it does not know. Pure."""

from collections.abc import Mapping

from gateway.dialect.outbound.source import Source, context_place

PROPERTIES: Mapping[tuple[str, ...], str] = {
    ("page", "url"): "page_url",
    ("page", "path"): "page_path",
    ("page", "title"): "page_title",
    ("page", "referrer"): "page_referrer",
    ("page", "search"): "page_search",
    ("campaign", "source"): "utm_source",
    ("campaign", "medium"): "utm_medium",
    ("campaign", "name"): "utm_campaign",
    ("campaign", "term"): "utm_term",
    ("campaign", "content"): "utm_content",
    **{("campaign", key): key for key in ("gclid", "fbclid", "ttclid", "twclid", "li_fat_id", "msclkid")},
    ("locale",): "locale",
    ("timezone",): "timezone",
    ("screen", "width"): "screen_width",
    ("screen", "height"): "screen_height",
    ("screen", "density"): "screen_density",
    ("viewport", "width"): "viewport_width",
    ("viewport", "height"): "viewport_height",
    ("network", "type"): "network_type",
    ("network", "rtt"): "network_rtt",
    ("network", "downlink"): "network_downlink",
    ("app", "name"): "app_name",
    ("app", "build"): "app_build",
    ("library", "name"): "library_name",
    ("library", "version"): "library_version",
    ("device",): "device",
    ("os",): "os",
}
"""Places of the context, and the properties that tell of them where a vendor has properties and nothing else."""
_FIELDS = ("session_id", "group_id")

AS_TRACK: Mapping[str, str] = {"page": "page_view", "screen": "screen_view", "group": "group"}
"""Types that a vendor may not know, and the name of the event that tells of one."""


def spread(source: Source) -> None:
    """Move what is left of an event's surroundings into its properties, under plain names. What is there already wins.

    Call it for events of other dialects, once all that the vendor has a place for is taken.
    """
    for field in _FIELDS:
        _put(source, field, field, source.field(field))
    for path, name in PROPERTIES.items():
        if source.has(*path):
            _put(source, context_place(*path), name, source.take(*path))


def as_track(source: Source) -> str | None:
    """Return the name under which an event is sent as one that a person did; None if it has none.

    What its type alone has goes into its properties: the name of a page, the traits of a group.
    """
    name: str | None = source.field("name")
    if source.type not in AS_TRACK:
        return name
    _put(source, "name", "name", name)
    if source.type == "group":
        _put(source, "group_id", "group_id", source.field("group_id"))
        for key, value in source.traits.items():
            _put(source, "traits.*", key, value, keep_null=True)
    return AS_TRACK[source.type]


def _put(source: Source, place: str, name: str, value: object, *, keep_null: bool = False) -> None:
    if value is None and not keep_null:
        return
    if name in source.properties:
        source.lose(place, "taken")
    else:
        source.properties[name] = value
