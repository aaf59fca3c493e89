"""A client's context, in Segment's spelling, to the canonical places. Pure.

A value fits its place if it has the type that docs/events.md gives. Objects may have further keys.
"""

from collections.abc import Mapping

from dialects.tranthor.wire import Fields

_TEXTS = {name: name for name in ("ip", "user_agent", "locale", "timezone")} | {"userAgent": "user_agent"}
_TEXT, _INTEGER, _NUMBER = frozenset({str}), frozenset({int}), frozenset({int, float})
_PAGE = dict.fromkeys(("url", "path", "title", "referrer", "search"), _TEXT)
_OBJECTS: Mapping[str, Mapping[str, frozenset[type]]] = {
    "page": _PAGE,
    "campaign": dict.fromkeys(
        ("source", "medium", "name", "term", "content", "gclid", "fbclid", "ttclid", "twclid", "li_fat_id", "msclkid"),
        _TEXT,
    ),
    "screen": {"width": _INTEGER, "height": _INTEGER, "density": _NUMBER},
    "viewport": {"width": _INTEGER, "height": _INTEGER},
    "network": {"type": _TEXT, "rtt": _NUMBER, "downlink": _NUMBER},
    "library": {"name": _TEXT, "version": _TEXT},
    "app": {"id": _TEXT, "name": _TEXT, "build": _TEXT | _NUMBER},
    "device": {},
    "os": {},
}
"""The places that are objects, with the types of the keys that docs/events.md names."""
_PLACES = frozenset({*_TEXTS, *_OBJECTS})
_MANY = 100  # keys, more than a context has; beyond it they are copied at once, five times faster


def canonical(sent: Fields) -> tuple[dict[str, object], dict[str, object]]:
    """Return the canonical context, and what has no place in it, under the client's own keys.

    `{"userAgent": "UA", "page": {"url": "/", "title": 5}, "active": True}` gives
    `({"user_agent": "UA", "page": {"url": "/"}}, {"page": {"title": 5}, "active": True})`.

    An empty text fits no place: it must not hide what the connection says. Of two spellings the first counts.
    """
    context: dict[str, object] = {}
    unplaced: dict[str, object] = {}
    if len(sent) > _MANY:
        unplaced, names = dict(sent), [name for name in sent if name in _PLACES]
        sent = {name: unplaced.pop(name) for name in names}
    for name, value in sent.items():
        place = _TEXTS.get(name)
        if place is not None and type(value) is str and value and place not in context:
            context[place] = value
        elif name in _OBJECTS and type(value) is dict:
            _place(name, value, context, unplaced)
        else:
            unplaced[name] = value
    return context, unplaced


def _place(place: str, value: Fields, context: dict[str, object], unplaced: dict[str, object]) -> None:
    types = _OBJECTS[place]
    for key, each in value.items():
        if key in types and type(each) not in types[key]:
            break
    else:
        context[place] = value
        return
    unfit = {key: each for key, each in value.items() if key in types and type(each) not in types[key]}
    unplaced[place] = unfit
    if len(unfit) < len(value):
        context[place] = {key: each for key, each in value.items() if key not in unfit}


def add_page(context: dict[str, object], properties: Fields) -> None:
    """Put what the properties of a page or screen say of the page into `context.page`. What is there already stays."""
    page = {name: properties[name] for name in _PAGE if type(properties.get(name)) is str and properties[name]}
    if page:
        own = context.get("page")
        context["page"] = {**page, **own} if isinstance(own, dict) else page
