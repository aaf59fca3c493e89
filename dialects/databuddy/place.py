"""Where Databuddy's surroundings go in the canonical context. Pure."""

from collections.abc import Mapping
from typing import cast

from dialects.databuddy import wire

_PLACES: Mapping[str, tuple[str, str]] = {
    "title": ("page", "title"),
    "connection_type": ("network", "type"),
    "rtt": ("network", "rtt"),
    "downlink": ("network", "downlink"),
    **{key: ("campaign", name) for key, name in wire.CAMPAIGN.items()},
}
_VENDORS: Mapping[str, str] = {
    "namespace": "namespace",
    "source": "source",
    "anonymizeVisitorIds": "anonymize_visitor_ids",
    "sessionStartTime": "session_start",
}
_PLAIN: Mapping[str, str] = {"language": "locale", "timezone": "timezone"}
_SIZES: Mapping[str, str] = {"screen_resolution": "screen", "viewport_size": "viewport"}


def page(path: str) -> dict[str, object]:
    """Return a page from its address, absolute or not."""
    scheme, found, rest = path.partition("://")
    if not found or "/" in scheme or "?" in scheme or "#" in scheme:
        return {"path": path}
    rest = rest.partition("#")[0].partition("?")[0]
    return {"url": path, "path": "/" + rest.partition("/")[2]}


def place(around: Mapping[str, object], context: dict[str, object], vendor: dict[str, object]) -> None:
    """Put what describes the surroundings where the canonical model has them, or with the vendor's own."""
    for key, value in around.items():
        found = _PLACES.get(key)
        if found is not None:
            group, name = found
            if group in context:
                cast(dict[str, object], context[group])[name] = value
            else:
                context[group] = {name: value}
        elif key in _PLAIN:
            context[_PLAIN[key]] = value
        elif key in _SIZES:
            size = _size(value)
            if size is None:
                vendor[key] = value
            else:
                context[_SIZES[key]] = size
        elif key == "referrer":
            if value == "direct":  # the tracker's word for none
                vendor["referrer"] = value
            elif value != "":
                cast(dict[str, object], context.setdefault("page", {}))["referrer"] = value
        else:
            vendor[_VENDORS[key]] = value


def tag(properties: Mapping[str, object], context: dict[str, object]) -> None:
    """Say the campaign that the tracker copied into `properties`, where it stays, in the canonical place too."""
    campaign = cast(dict[str, object], context.setdefault("campaign", {}))
    for key, name in wire.CAMPAIGN.items():
        if isinstance(properties.get(key), str):
            campaign.setdefault(name, properties[key])
    if not campaign:
        del context["campaign"]


def _size(text: object) -> dict[str, int] | None:
    """Return `1920x1080` as numbers, or None for what would not read back as it was."""
    if not isinstance(text, str) or len(text) > 11 or not text.isascii():
        return None
    width, _, height = text.partition("x")
    if not width.isdecimal() or not height.isdecimal() or width[0] == "0" or height[0] == "0":
        return None
    return {"width": int(width), "height": int(height)}
