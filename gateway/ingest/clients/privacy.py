"""What a client's wish for privacy (the headers `Sec-GPC: 1` and `DNT: 1`) makes of its events. Pure.

A project says of each header what is done: nothing, the event is marked, or it is stored without what says whose it
is. Which event that leaves is described in docs/operate/privacy.md.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from gateway.dialect.value_class import value_class

HEADERS = {"gpc": "sec-gpc", "dnt": "dnt"}
"""The header of each wish, by its name in `context.privacy`."""
IGNORE, MARK, ANONYMIZE = "no", "mark", "anonymize"
WISHES = (IGNORE, MARK, ANONYMIZE)  # the later one keeps less
REMOVED = "[removed]"
SHORTEST = 8  # characters of an id that is looked for inside longer texts; a shorter one only where it is the text
IDS = ("user_id", "anonymous_id", "previous_id")
_ESCAPE = re.compile("%[0-9A-F]{2}")
DEVICE = frozenset({"type", "brand", "manufacturer", "model"})
"""What stays of `context.device`: SDKs put advertising ids and push tokens beside it."""


@value_class
class Privacy:
    """What is done with one request's events.

    With `anonymize` they are stored without ids, and nothing of the request is kept. `marks` are the wishes that the
    events are marked with, as `context.privacy` has them: `{"gpc": True}`.
    """

    anonymize: bool
    marks: Mapping[str, bool]


@value_class
class PrivacyPolicy:
    """What a project does about each wish: `no`, `mark` or `anonymize`."""

    gpc: str = IGNORE
    dnt: str = IGNORE

    @property
    def ignores_all(self) -> bool:
        """Whether no header changes anything."""
        return self.gpc == self.dnt == IGNORE

    def of(self, headers: Mapping[str, str]) -> Privacy | None:
        """Return what is done with the events of a request; None if they are stored as they are.

        `headers` are by name in lower case.
        """
        said = {name: getattr(self, name) for name, header in HEADERS.items() if _is_set(headers.get(header))}
        marks = {name: True for name, wish in said.items() if wish == MARK}
        anonymize = ANONYMIZE in said.values()
        return Privacy(anonymize, marks) if anonymize or marks else None


def strictest(policies: Iterable[PrivacyPolicy]) -> PrivacyPolicy:
    """Return the policy that keeps the least of each request."""
    known = [PrivacyPolicy(), *policies]
    return PrivacyPolicy(*[max((getattr(each, name) for each in known), key=WISHES.index) for name in HEADERS])


def applied(fields: Mapping[str, Any], privacy: Privacy) -> dict[str, Any]:
    """Return an event's fields as they are stored."""
    kept = anonymous(fields) if privacy.anonymize else dict(fields)
    if privacy.marks:
        kept["context"] = {**kept["context"], "privacy": dict(privacy.marks)}
    return kept


def anonymous(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's fields without what says whose it is.

    The ids, the address, a person's traits, and `context.<dialect>`, where unknown fields are. An id that stands once
    more elsewhere becomes REMOVED, also percent-encoded. `message_id`, by which a retry is known, stays.
    """
    context = fields["context"]
    ids = {str(each) for each in (*[fields[name] for name in IDS], context.get("ip")) if each}
    kept = {**fields, **dict.fromkeys(IDS)}
    for name in ("group_id", "session_id"):
        kept[name] = None if fields[name] in ids else fields[name]
    if fields["type"] != "group":  # a company's traits say nothing of a person
        kept["traits"] = {}
    context = {name: value for name, value in context.items() if name not in ("ip", fields["dialect"])}
    if isinstance(device := context.get("device"), Mapping):
        context["device"] = {name: value for name, value in device.items() if name in DEVICE}
    kept["context"] = context
    if ids:
        # The longest first: one id may be a part of another one.
        spelled = sorted({spelling for each in ids for spelling in _spellings(each)}, key=len, reverse=True)
        for name in ("name", "properties", "traits", "context"):
            kept[name] = _without(kept[name], spelled)
    return kept


def _is_set(value: str | None) -> bool:
    """Return whether a header says 1; HTTP joins the values of repeated headers with commas."""
    return value is not None and any(each.strip() == "1" for each in value.split(","))


def _spellings(identifier: str) -> Iterable[str]:
    """Return an id, and what it is in addresses."""
    if len(identifier) < SHORTEST:
        return (identifier,)
    raw = identifier.encode("utf-8", "surrogatepass")
    percent = (quote(raw, safe=""), quote(raw, safe="!'()*"), quote(raw, safe="@:!$'()*,;"))
    lower = [_ESCAPE.sub(lambda found: found[0].lower(), each) for each in percent]
    return (identifier, *percent, *lower)


def _without(value: object, ids: Sequence[str]) -> object:
    if isinstance(value, str):
        return _text_without(value, ids)
    if isinstance(value, Mapping):
        return {_text_without(name, ids): _without(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, ids) for each in value]
    return value


def _text_without(text: str, ids: Sequence[str]) -> str:
    if text in ids:
        return REMOVED
    for each in ids:
        if len(each) >= SHORTEST and each in text:
            text = text.replace(each, REMOVED)
    return text
