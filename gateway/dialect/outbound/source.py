"""An event that is taken apart, place by place. What nobody has taken at the end is lost, and can be told."""

from collections.abc import Mapping
from typing import Any

from gateway.dialect.outbound.items import NOT_SENT, Emitted, Lost

_SKIPPED = frozenset({"project", "dialect", "received_at", "type", "properties", "traits", "context"})
"""Fields that the gateway sets on every event, and those that are told of by their members."""
_GROUPS: Mapping[str, frozenset[str]] = {
    "page": frozenset({"url", "path", "title", "referrer", "search"}),
    "campaign": frozenset(
        {
            *("source", "medium", "name", "term", "content"),
            *("gclid", "fbclid", "ttclid", "twclid", "li_fat_id", "msclkid"),
        }
    ),
    "privacy": frozenset({"gpc", "dnt"}),
    "screen": frozenset({"width", "height", "density"}),
    "viewport": frozenset({"width", "height"}),
    "network": frozenset({"type", "rtt", "downlink"}),
    "library": frozenset({"name", "version"}),
    "app": frozenset({"id", "name", "build"}),
    "device": frozenset(),
    "os": frozenset(),
}
"""The objects of the canonical context, each with the keys that docs/events.md names."""


def context_place(*path: str) -> str:
    """Return the place of a path in the context: `context.page.title`, or `context.page.*` for a key of a client's."""
    known = _GROUPS.get(path[0])
    if len(path) == 1 or known is None:
        return "context." + ".".join(path[:2])
    return f"context.{path[0]}.{path[1] if path[1] in known else '*'}"


class Source:
    """One stored event. Each `take` gives a value once; `left` says what was not taken.

    `properties` and `traits` are copies: emit may add to them, or hand them on. `own` is whether the event came in this
    dialect: then what translation has put under `context.<dialect>` can be taken too.

        source = Source(event, "tranthor")
        source.field("user_id"), source.take("page", "title"), source.take_own("assigned")
    """

    def __init__(self, event: Mapping[str, Any], dialect: str) -> None:
        self.event = event
        self.type: str = event["type"]
        self.timestamp: str = event["timestamp"]
        self.own = event["dialect"] == dialect
        self.properties: dict[str, Any] = dict(event["properties"])
        self.traits: dict[str, Any] = dict(event["traits"])
        self._dialect = dialect
        self._fields = {name: value for name, value in event.items() if name not in _SKIPPED and value is not None}
        self._context = {
            name: dict(value) if isinstance(value, Mapping) else value for name, value in event["context"].items()
        }
        self._lost: dict[Lost, None] = {}

    def field(self, name: str) -> Any:
        """Take a field of the event; None if it has none."""
        return self._fields.pop(name, None)

    def has_field(self, name: str) -> bool:
        """Return whether the event has a field that was not yet taken."""
        return name in self._fields

    def take(self, *path: str) -> Any:
        """Take a place of the context, `take("ip")` or `take("page", "title")`; None if it is not there."""
        if len(path) == 1:
            return self._context.pop(path[0], None)
        group = self._context.get(path[0])
        return group.pop(path[1], None) if isinstance(group, dict) else None

    def take_own(self, key: str) -> Any:
        """Take a key of `context.<dialect>`, if the event came in this dialect."""
        return self.take(self._dialect, key) if self.own else None

    def has(self, *path: str) -> bool:
        """Return whether a place of the context is there and not yet taken."""
        node: Any = self._context
        for step in path:
            if not isinstance(node, dict) or step not in node:
                return False
            node = node[step]
        return True

    def lose(self, place: str, why: str = "no_place") -> None:
        """Say that a value that was taken is not in what is emitted."""
        self._lost[Lost(place, why)] = None

    def rest(self) -> Mapping[str, Any]:
        """Return what of the context was not taken; the caller must not change it."""
        return self._context

    def lost(self) -> tuple[Lost, ...]:
        """Return what was lost, and what was not taken."""
        for name in self._fields:
            self.lose(name)
        for name, value in self._context.items():
            if isinstance(value, dict):
                for key in value:
                    self.lose(context_place(name, key))
            else:
                self.lose(context_place(name))
        return tuple(self._lost)

    def not_sent(self, why: str) -> Emitted:
        """Return that the vendor can take nothing of this event."""
        return Emitted((), (Lost(NOT_SENT, why),))
